"""Remembers the input directory of an output directory: another one of the same name would replace its documents."""

from pathlib import Path

import orjson

from configs.errors import SettingsError
from pipeline.run.plan import RunPlan
from schemas.paths import escape, source_name


def check_input(plan: RunPlan) -> None:
    """Remembers the directory by its source. Raises SettingsError for another one, unless the user set --source."""
    file = plan.layout.home / "inputs.json"
    source, here = plan.settings.producer.source or source_name(plan.input_dir), escape(str(plan.input_dir.resolve()))
    known = _read(file)
    before = known.get(source, here)
    if before != here and not plan.settings.producer.source:
        raise SettingsError(
            f"{plan.output_dir} has documents of {before}, by the name of {source}, which those of {here} would "
            f"replace. Give another --output-dir or --source; --source {source} if it is the same directory elsewhere"
        )
    if known.get(source) != here:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(known | {source: here}))


def _read(file: Path) -> dict[str, str]:
    """Returns directories by source; nothing where the file can't be read, since it only guards against mistakes."""
    try:
        known = orjson.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
