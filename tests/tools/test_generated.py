"""The generated files in the repository are what the code says."""

import pytest

from tools.__main__ import generated
from tools.places import ROOT


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in generated()])
def test_a_generated_file_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == generated()[ROOT / path], "run `python -m tools`"
