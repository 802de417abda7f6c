"""What a running `python -m pipeline` leaves in its output directory for the other commands."""

from pathlib import Path

import orjson

from configs.sections import KafkaSettings


def run_home(output_dir: Path) -> Path:
    """What is not a result, so that an output directory is a run by itself."""
    return output_dir / ".qastream"


def broker_file(output_dir: Path) -> Path:
    """There as long as a broker runs that the pipeline has started."""
    return run_home(output_dir) / "broker.json"


def broker_of_run(kafka: KafkaSettings, output_dir: Path | None) -> KafkaSettings:
    """`kafka` with the address of the broker that a running pipeline started for `output_dir`, if it names none."""
    if kafka.bootstrap_servers is not None or output_dir is None:
        return kafka
    try:
        address = orjson.loads(broker_file(output_dir).read_bytes())["bootstrap_servers"]
    except FileNotFoundError:
        return kafka
    return kafka.replaced(bootstrap_servers=address)
