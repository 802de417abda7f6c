from pathlib import Path

from configs.sections import KafkaSettings
from configs.settings import load_settings
from output.layout import Layout
from output.running_broker import broker_of_run


def found(output_dir: Path, **more: str) -> KafkaSettings:
    return broker_of_run(load_settings(more, environ={}).kafka, output_dir)


def test_the_broker_of_a_running_pipeline_is_found(tmp_path: Path):
    Layout(tmp_path).broker.parent.mkdir()
    Layout(tmp_path).broker.write_text('{"bootstrap_servers": "127.0.0.1:40001", "pid": 7}')
    assert found(tmp_path).bootstrap_servers == "127.0.0.1:40001"
    assert found(tmp_path, bootstrap_servers="kafka:9092").bootstrap_servers == "kafka:9092"


def test_without_one_nothing_changes(tmp_path: Path):
    assert found(tmp_path).bootstrap_servers is None
