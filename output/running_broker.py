"""Finds the broker of a running `python -m pipeline` for other commands."""

from pathlib import Path

import orjson

from configs.sections import KafkaSettings
from output.layout import Layout


def broker_of_run(kafka: KafkaSettings, output_dir: Path | None) -> KafkaSettings:
    """Returns `kafka` with the address of the broker that a pipeline runs for `output_dir`, unless it has one."""
    if kafka.bootstrap_servers is not None or output_dir is None:
        return kafka
    try:
        address = orjson.loads(Layout(output_dir).broker.read_bytes())["bootstrap_servers"]
    except FileNotFoundError:
        return kafka
    return kafka.replaced(bootstrap_servers=address)
