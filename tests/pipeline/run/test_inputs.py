import os
from pathlib import Path

import pytest

from configs.errors import SettingsError
from configs.settings import load_settings
from pipeline.run.inputs import check_input
from pipeline.run.plan import RunPlan, make_plan


def plan(tmp_path: Path, where: str, **more: str) -> RunPlan:
    directory = tmp_path / where
    directory.mkdir(parents=True, exist_ok=True)
    return make_plan(load_settings({"input_dir": directory, "output_dir": tmp_path / "out", **more}, environ={}))


def test_another_directory_of_the_same_name_is_refused(tmp_path: Path):
    check_input(plan(tmp_path, "x/texts"))
    check_input(plan(tmp_path, "x/texts"))
    check_input(plan(tmp_path, "x/papers"))
    with pytest.raises(SettingsError, match=rf"documents of {tmp_path}/x/texts, .* those of {tmp_path}/y/texts"):
        check_input(plan(tmp_path, "y/texts"))


def test_a_source_that_is_named_is_taken_at_its_word(tmp_path: Path):
    check_input(plan(tmp_path, "x/texts"))
    check_input(plan(tmp_path, "y/texts", source="texts"))
    check_input(plan(tmp_path, "y/texts"))
    with pytest.raises(SettingsError, match="x/texts would replace"):
        check_input(plan(tmp_path, "x/texts"))


def test_a_name_may_be_of_any_bytes(tmp_path: Path):
    odd = os.fsdecode(b"caf\xe9/texts")
    check_input(plan(tmp_path, odd))
    check_input(plan(tmp_path, odd))


def test_a_damaged_memory_stops_nobody(tmp_path: Path):
    check_input(plan(tmp_path, "x/texts"))
    (tmp_path / "out/.qastream/inputs.json").write_bytes(b"\xff")
    check_input(plan(tmp_path, "y/texts"))
