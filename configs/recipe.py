"""Recipes: files that say what is asked of the model for each chunk, and with which prompts."""

import tomllib
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.errors import SettingsError

FOLDER = Path(__file__).parent
LANGUAGES = ("zh", "en")
MAX_BYTES = 256 * 1024
Bound = Annotated[int, Field(ge=1, le=10_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Prompts(_Part):
    system: str
    task: str


class Pairs(_Part):
    """How many are asked for, and the bounds of the response schema, in characters."""

    characters_each: dict[str, Bound]
    most: Annotated[int, Field(ge=1, le=100)]
    question_characters: Bound
    answer_characters: Bound
    reasoning_characters: Bound
    quotes: Annotated[int, Field(ge=1, le=10)]
    quote_characters: Bound

    def wanted(self, characters: int, language: str) -> int:
        return min(self.most, max(1, round(characters / self.characters_each[language])))


class Recipe(_Part):
    name: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")]
    version: int
    prompts: Prompts
    pairs: Pairs
    thinking: bool | None = Field(
        default=None, description="Switch a reasoning model's thinking on or off; unset: its own default."
    )
    texts: dict[str, str] = Field(description="Prompt texts by `name.language`.")
    hash: str = Field(description="Of everything that this recipe sends.")

    def system(self, language: str) -> str:
        return self.texts[f"{self.prompts.system}.{language}"]

    def task(self, language: str, pairs: int) -> str:
        return Template(self.texts[f"{self.prompts.task}.{language}"]).substitute(pairs=pairs)


def load_recipe(name: str) -> Recipe:
    """The recipe `name` of configs/recipes, or the file of that name; prompts stand beside it or in configs/prompts.

    Raises SettingsError with the file and the place in it.
    """
    path = _find(name)
    text = _read(path)
    try:
        data: dict[str, Any] = tomllib.loads(text)
        prompts = Prompts.model_validate(data.get("prompts", {}))
        texts = {
            f"{prompt}.{language}": _prompt(path, f"{prompt}.{language}.txt")
            for prompt in (prompts.system, prompts.task)
            for language in LANGUAGES
        }
        recipe = Recipe(**data, texts=texts, hash=_hash(data, texts))
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"{path}: not TOML: {exc}") from None
    except ValidationError as exc:
        raise SettingsError("\n".join(f"{path}: {_line(error, text)}" for error in exc.errors())) from None
    _check_templates(recipe, path)
    return recipe


def _find(name: str) -> Path:
    for path in (FOLDER / "recipes" / f"{name}.toml", Path(name)):
        if path.is_file():
            return path
    known = ", ".join(sorted(p.stem for p in (FOLDER / "recipes").glob("*.toml")))
    raise SettingsError(f"--recipe {name}: no such file, and no such recipe; there are: {known}")


def _prompt(recipe: Path, file_name: str) -> str:
    if Path(file_name).name != file_name:
        raise SettingsError(f"{recipe}: prompts are named without folders, not {file_name!r}")
    for folder in (recipe.parent, FOLDER / "prompts"):
        if (folder / file_name).is_file():
            return _read(folder / file_name).strip()
    raise SettingsError(f"{recipe}: no prompt file {file_name} beside it or in {FOLDER / 'prompts'}")


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


def _line(error: Any, text: str) -> str:
    """The problem, with the number of the line that names the setting."""
    where = ".".join(map(str, error["loc"]))
    key = str(error["loc"][-1]) if error["loc"] else ""
    number = next((n for n, line in enumerate(text.splitlines(), 1) if key and line.lstrip().startswith(key)), None)
    what = "no such setting" if error["type"] == "extra_forbidden" else error["msg"]
    return f"line {number}: {where}: {what}" if number else f"{where}: {what}"


def _hash(data: dict[str, Any], texts: dict[str, str]) -> str:
    return sha256(repr((sorted(data.items()), sorted(texts.items()))).encode()).hexdigest()[:32]


def _check_templates(recipe: Recipe, path: Path) -> None:
    missing = [language for language in LANGUAGES if language not in recipe.pairs.characters_each]
    if missing:
        raise SettingsError(f"{path}: pairs.characters_each lacks {', '.join(missing)}")
    for language in LANGUAGES:
        try:
            recipe.task(language, 1)
        except (KeyError, ValueError) as exc:
            raise SettingsError(
                f"{path}: prompt {recipe.prompts.task}.{language}.txt: $pairs is the only placeholder: {exc}"
            ) from None
