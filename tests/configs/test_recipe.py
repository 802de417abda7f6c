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
    assert recipe.task("en", 3) == "Ask 3 questions."
    assert recipe.hash != load_recipe("fast").hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("most = 80", "most = 0", r"line 12: pairs\.most"),
        ("most = 80", "moist = 40", "moist"),
        ("[pairs]", "[pairs", "line 10"),
        ('task = "fast"', 'task = "../fast"', "without folders"),
        ('task = "fast"', 'task = "none"', "none.zh.txt"),
        ("zh = 100, en = 250", "en = 250", "lacks zh"),
    ],
)
def test_a_bad_recipe_is_refused_with_its_line(own, old, new, said):
    with pytest.raises(SettingsError, match=said):
        load_recipe(change(own, old, new))


def test_a_prompt_with_an_unknown_placeholder_is_refused(own):
    (own.parent / "fast.zh.txt").write_text("$questions")
    with pytest.raises(SettingsError, match=r"fast\.zh\.txt"):
        load_recipe(str(own))


def test_an_unknown_recipe_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match=r"there are: .*fast"):
        load_recipe("slow")


def test_pairs_wanted_follow_the_length_and_stay_within_the_bound():
    pairs = load_recipe("fast").pairs
    assert pairs.wanted(1, "zh") == 1
    assert pairs.wanted(2000, "zh") > pairs.wanted(2000, "en") > 1
    assert pairs.wanted(10**9, "en") == pairs.most
