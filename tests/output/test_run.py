from pathlib import Path

from configs.settings import Settings, load_settings
from output.run import broker_file, with_broker_of_run


def found(output_dir: Path, **more: str) -> Settings:
    return with_broker_of_run(load_settings({"output_dir": output_dir, **more}, environ={}))


def test_the_broker_of_a_running_pipeline_is_found(tmp_path: Path):
    broker_file(tmp_path).parent.mkdir()
    broker_file(tmp_path).write_text('{"bootstrap_servers": "127.0.0.1:40001", "pid": 7}')
    assert found(tmp_path).bootstrap_servers == "127.0.0.1:40001"
    assert found(tmp_path, bootstrap_servers="kafka:9092").bootstrap_servers == "kafka:9092"


def test_without_one_nothing_changes(tmp_path: Path):
    assert found(tmp_path).bootstrap_servers is None
