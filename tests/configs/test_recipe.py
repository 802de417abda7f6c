import shutil
from pathlib import Path

import pytest

from configs.errors import SettingsError
from configs.recipe import FOLDER, load_recipe


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return Path(shutil.copy(FOLDER / "recipes" / "fast.toml", tmp_path / "own.toml"))


def change(path: Path, old: str, new: str) -> str:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return str(path)


def test_every_recipe_that_is_shipped_loads():
    for path in (FOLDER / "recipes").glob("*.toml"):
        assert load_recipe(path.stem).name == path.stem


def test_a_copy_sends_the_same_and_has_the_same_hash(own):
    assert load_recipe(str(own)).hash == load_recipe("fast").hash


def test_the_hash_covers_prompts_beside_the_recipe(own):
    (own.parent / "fast.en.txt").write_text("Ask $pairs questions.")
    recipe = load_recipe(str(own))
    assert recipe.prompt("fast", "en") == "Ask $pairs questions."
    assert recipe.hash != load_recipe("fast").hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("most = 80", "most = 81"),
        ("open = 20", "open = 21"),
        ("quotes = 2", "quotes = 3"),
        ("version = 3", "version = 4"),
    ],
)
def test_the_hash_covers_what_decides(own, old, new):
    assert load_recipe(change(own, old, new)).hash != load_recipe("fast").hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("most = 80", "most = 0", r"own\.toml: line 9: plan\.most"),
        ("most = 80", "moist = 40", r"line 9: plan\.moist: no such setting"),
        ("[plan]", "[plan", "line 7"),
        ('prompt = "fast"', 'prompt = "../fast"', r"line 20: one_call\.prompt"),
        ('prompt = "fast"', 'prompt = "none"', r"own\.toml: line 20: one_call\.prompt: no file none\.zh\.txt"),
        ('prompt = "fast"', "", r"line 19: one_call\.prompt: Field required"),
        ("zh = 100, en = 250", "en = 250", "line 7: plan: characters_each lacks zh"),
        ("most = 80", "pairs = 3", "either pairs or characters_each"),
        ("factual = 15", "historical = 15", r"line 10: plan\.proportions\.historical: Input"),
        ("[one_call]", "[ask]", r"either \[one_call\], or \[ask\] and \[answer\]"),
        ("[one_call]", '[answer]\nprompt = "answer"\n[one_call]', "one_call asks and answers"),
        ("[one_call]", '[second_answer]\nprompt = "second_answer"\n[one_call]', "one_call asks and answers"),
        ("[one_call]", '[rewrite]\nprompt = "rewrite"\nworth = 0.4\n[one_call]', r"need a \[judge\]"),
        ("[one_call]", "[checks]\nno_such_check = true\n[one_call]", r"line 20: checks\.no_such_check"),
        ("[one_call]", '[terms.fr]\na = "b"\n[one_call]', r"line 19: terms\.fr"),
    ],
)
def test_a_bad_recipe_is_refused_with_its_line(own, old, new, said):
    with pytest.raises(SettingsError, match=said):
        load_recipe(change(own, old, new))


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Ask\n$questions", r"fast\.zh\.txt: line 2: \$questions: no such placeholder .* \$examples, \$pairs, \$plan"),
        ("Ask.", r"fast\.zh\.txt: a prompt for one_call needs \$pairs"),
        ("$pairs\nfor 3 $", r"fast\.zh\.txt: line 2: a \$ that begins no placeholder"),
    ],
)
def test_a_bad_prompt_is_refused_with_its_line(own, prompt, said):
    (own.parent / "fast.zh.txt").write_text(prompt)
    with pytest.raises(SettingsError, match=said):
        load_recipe(str(own))


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "standard",
            "support = 4",
            "grace = 4",
            r"own\.toml: line 21: judge\.criteria\.grace: .*judge\.zh\.txt does not mention it",
        ),
        ("standard", "support = 4", "Support = 4", r"line 2\d: judge\.criteria\.Support"),
        ("standard", "threshold = 0.7", "threshold = 7", r"line 2\d: judge\.threshold"),
        (
            "semiconductor",
            'prompt = "judge_twice"',
            'prompt = "judge"',
            r"judge\.zh\.txt: a prompt for judge needs \$second",
        ),
        ("semiconductor", "threshold = 0.5", "", r"line 1\d: text_gate\.threshold: Field required"),
        ("semiconductor", 'type = "open"', 'type = "odd"', r"line 1\d\d: examples\.3\.type"),
    ],
)
def test_a_bad_stage_is_refused(tmp_path, name, old, new, said):
    path = Path(shutil.copy(FOLDER / "recipes" / f"{name}.toml", tmp_path / "own.toml"))
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(SettingsError, match=said):
        load_recipe(str(path))


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match=r"there are: .*fast"):
        load_recipe("slow")


def test_pairs_wanted_follow_the_length_and_stay_within_the_bound():
    plan = load_recipe("fast").plan
    assert plan.wanted(1, "zh") == 1
    assert plan.wanted(2000, "zh") > plan.wanted(2000, "en") > 1
    assert plan.wanted(10**9, "en") == plan.most


def test_pairs_wanted_may_be_a_number(own):
    plan = load_recipe(change(own, "characters_each = { zh = 100, en = 250 }", "pairs = 3")).plan
    assert [plan.wanted(length, "zh") for length in (1, 10**9)] == [3, 3]


def test_scores_are_weighted_and_each_has_its_least():
    judge = load_recipe("standard").judge
    scores = {"support": 1.0, "accuracy": 1.0, "completeness": 0.5, "self_contained": 0.5}
    assert judge.total(scores) == 0.85
    assert judge.passes(scores)
    assert not judge.passes(scores | {"accuracy": 0.4})
    assert not judge.passes(dict.fromkeys(scores, 0.6))


@pytest.mark.parametrize("name", ["fast", "standard", "semiconductor"])
def test_the_types_are_asked_for_as_promised(name):
    assert load_recipe(name).plan.proportions == {"factual": 15, "comparative": 15, "reasoning": 50, "open": 20}
