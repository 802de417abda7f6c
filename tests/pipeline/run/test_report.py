import os
from pathlib import Path

from configs.settings import load_settings
from pipeline.run.plan import make_plan
from pipeline.run.report import write_report


def test_a_report_that_can_not_be_written_is_a_line_with_the_reason(tmp_path: Path):
    plan = make_plan(load_settings({"input_dir": "texts", "output_dir": str(tmp_path / "out")}), once=True)
    said = write_report(plan, os.environ)
    assert said == f"could not be written: error: --output-dir {tmp_path / 'out'}: no such directory"
