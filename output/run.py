"""What a running `python -m pipeline` leaves in its output directory for the other commands."""

from pathlib import Path

import orjson

from configs.settings import Settings


def run_home(output_dir: Path) -> Path:
    """What is not a result, so that an output directory is a run by itself."""
    return output_dir / ".qastream"


def broker_file(output_dir: Path) -> Path:
    """There as long as a broker runs that the pipeline has started."""
    return run_home(output_dir) / "broker.json"


def with_broker_of_run(settings: Settings) -> Settings:
    """With the address of the broker that a running pipeline started for `output_dir`, if none is configured."""
    if settings.bootstrap_servers is not None or settings.output_dir is None:
        return settings
    try:
        address = orjson.loads(broker_file(settings.output_dir).read_bytes())["bootstrap_servers"]
    except FileNotFoundError:
        return settings
    return settings.model_copy(update={"bootstrap_servers": address})
