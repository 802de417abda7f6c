"""Recipes: files that describe which stages ask the model about a chunk, and with which prompts."""

import json
import re
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from configs.errors import SettingsError
from configs.recipe_parts import (
    BOUNDS,
    Checks,
    Example,
    LanguageCode,
    Limits,
    Line,
    PairPlan,
    PromptName,
    RecipePart,
    Rewriting,
    Scoring,
    Stage,
)
from configs.toml_lines import line_of
from languages import LANGUAGES

FOLDER = Path(__file__).parent
MAX_BYTES = 256 * 1024
STAGES = ("one_call", "text_gate", "ask", "question_gate", "answer", "second_answer", "judge", "rewrite")
PAIR = {"question", "answer"}
SHOWN = {"type", "reasoning", "evidence"}
PLACEHOLDERS: dict[str, tuple[set[str], set[str]]] = {
    "system": (set(), set()),
    "one_call": ({"pairs"}, {"plan", "examples"}),
    "text_gate": (set(), set()),
    "ask": ({"plan"}, {"pairs", "examples"}),
    "question_gate": ({"questions"}, set()),
    "answer": ({"question"}, {"type", "examples"}),
    "second_answer": ({"question"}, {"type"}),
    "judge": (PAIR, SHOWN),
    "rewrite": (PAIR | {"comment"}, SHOWN),
}
"""Placeholders that the prompt of a stage must have, and those that it may have. Each prompt may have BOUNDS too."""


class Recipe(RecipePart):
    """A recipe. Its stages run in the order of STAGES; `one_call` takes the place of ask and answer."""

    name: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")]
    version: int
    system: PromptName
    thinking: bool | None = Field(
        default=None, description="Switches a reasoning model's thinking on or off. Default: the model decides."
    )
    any_model: bool = Field(default=False, description="Allows the servers of one run to have loaded different models.")
    plan: PairPlan
    limits: Limits = Limits()
    checks: Checks = Checks()
    one_call: Stage | None = None
    text_gate: Scoring | None = None
    ask: Stage | None = None
    question_gate: Scoring | None = None
    answer: Stage | None = None
    second_answer: Stage | None = None
    judge: Scoring | None = None
    rewrite: Rewriting | None = None
    terms: dict[LanguageCode, dict[Line, Line]] = Field(default_factory=dict)
    examples: tuple[Example, ...] = Field(default=(), max_length=100, strict=False)
    texts: dict[str, str] = Field(
        default_factory=dict, description="Texts of the prompts by `name.language`, read from their files."
    )

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        if self.one_call is not None and (self.ask or self.answer or self.question_gate or self.second_answer):
            raise ValueError("one_call asks and answers: it goes without ask, question_gate, answer and second_answer")
        if self.one_call is None and (self.ask is None or self.answer is None):
            raise ValueError("takes either [one_call], or [ask] and [answer]")
        if self.judge is None and (self.second_answer or self.rewrite):
            raise ValueError("[second_answer] and [rewrite] need a [judge]")
        return self

    @property
    def stages(self) -> dict[str, Stage]:
        """The stages of this recipe by name, in the order in which they run."""
        return {name: stage for name in STAGES if (stage := getattr(self, name)) is not None}

    @property
    def hash(self) -> str:
        """Hash of the whole recipe, prompts included."""
        dumped = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return sha256(dumped.encode()).hexdigest()[:32]

    def prompt(self, name: str, language: str) -> str:
        return self.texts[f"{name}.{language}"]


def load_recipe(name: str) -> Recipe:
    """Load the recipe `name` of configs/recipes, or the recipe file of that path, with its prompts.

    Prompts stand beside the recipe or in configs/prompts. Raises SettingsError with the file and its line.
    """
    path = _find(name)
    text = _read(path)
    recipe = _parse(path, text)
    files = list(_prompt_files(recipe, path, text))
    texts = {f"{file.prompt}.{file.language}": _read(file.path).strip() for file in files}
    recipe = recipe.model_copy(update={"texts": texts})
    problems = [f"{file.path}: {problem}" for file in files for problem in _placeholder_problems(recipe, file)]
    problems += [problem for file in files for problem in _unmentioned_criteria(recipe, file, path, text)]
    if problems:
        raise SettingsError("\n".join(problems))
    return recipe


def _parse(path: Path, text: str) -> Recipe:
    try:
        data: dict[str, Any] = tomllib.loads(text)
        if "texts" in data:
            raise SettingsError(f"{path}: texts: no such setting; prompts are files")
        return Recipe.model_validate(data)
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"{path}: not TOML: {exc}") from None
    except ValidationError as exc:
        raise SettingsError("\n".join(f"{path}: {_explained(error, text)}" for error in exc.errors())) from None


class PromptFile(NamedTuple):
    """The file of a stage's prompt in one language."""

    stage: str
    prompt: str
    language: str
    path: Path


def _prompt_files(recipe: Recipe, path: Path, text: str) -> Iterator[PromptFile]:
    prompts = {("system", recipe.system)} | {(stage, part.prompt) for stage, part in recipe.stages.items()}
    for stage, prompt in sorted(prompts):
        for language in LANGUAGES.codes:
            yield PromptFile(stage, prompt, language, _prompt_file(path, text, stage, prompt, language))


def _find(name: str) -> Path:
    for path in (FOLDER / "recipes" / f"{name}.toml", Path(name)):
        if path.is_file():
            return path
    known = ", ".join(sorted(p.stem for p in (FOLDER / "recipes").glob("*.toml")))
    raise SettingsError(f"--recipe {name}: no such file, and no such recipe; there are: {known}")


def _prompt_file(recipe: Path, text: str, stage: str, prompt: str, language: str) -> Path:
    file_name = f"{prompt}.{language}.txt"
    for folder in (recipe.parent, FOLDER / "prompts"):
        if (folder / file_name).is_file():
            return folder / file_name
    place = ("system",) if stage == "system" else (stage, "prompt")
    where = f"{recipe}: line {line_of(text, place)}: {'.'.join(place)}"
    raise SettingsError(f"{where}: no file {file_name} beside it or in {FOLDER / 'prompts'}")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise SettingsError(f"{path}: over {MAX_BYTES} bytes")
        return data.decode()
    except OSError as exc:
        raise SettingsError(f"{path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{path}: not UTF-8 at byte {exc.start}") from exc


def _explained(error: Any, text: str) -> str:
    """Explain a mistake, with the number of its line."""
    place = [part for part in error["loc"] if part != "[key]"]
    where = ".".join(map(str, place))
    number = line_of(text, place)
    what = "no such setting" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    return ": ".join(filter(None, [f"line {number}" if number else "", where, what]))


def _placeholder_problems(recipe: Recipe, file: PromptFile) -> Iterator[str]:
    """Yield what is wrong with the placeholders of a prompt: missing, unknown or badly written ones."""
    text = recipe.prompt(file.prompt, file.language)
    needed, possible = PLACEHOLDERS[file.stage]
    possible = possible | set(BOUNDS)
    if file.stage == "judge" and recipe.second_answer is not None:
        needed = needed | {"second"}
    if not Template(text).is_valid():
        line = next(n for n, line in enumerate(text.splitlines(), 1) if not Template(line).is_valid())
        yield f"line {line}: a $ that begins no placeholder is written $$"
        return
    names = set(Template(text).get_identifiers())
    for name in sorted(names - needed - possible):
        line = next(n for n, line in enumerate(text.splitlines(), 1) if re.search(rf"\${{?{name}\b", line))
        known = ", ".join(f"${known}" for known in sorted(needed | possible)) or "none"
        yield f"line {line}: ${name}: no such placeholder in a prompt for {file.stage}; there are: {known}"
    if needed - names:
        yield f"a prompt for {file.stage} needs {', '.join(f'${name}' for name in sorted(needed - names))}"


def _unmentioned_criteria(recipe: Recipe, file: PromptFile, path: Path, text: str) -> Iterator[str]:
    """Yield the criteria of a stage that its prompt does not explain to the model."""
    part = recipe.stages.get(file.stage)
    for criterion in part.criteria if isinstance(part, Scoring) else ():
        if criterion not in recipe.prompt(file.prompt, file.language):
            place = (file.stage, "criteria", criterion)
            yield f"{path}: line {line_of(text, place)}: {'.'.join(place)}: {file.path} does not mention it"
