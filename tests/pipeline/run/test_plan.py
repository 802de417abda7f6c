from pathlib import Path

import pytest

from configs.errors import SettingsError
from configs.settings import load_settings
from pipeline.run.plan import (
    EMBEDDED_MODEL,
    broker_command,
    complete_settings,
    embedded_command,
    environment,
    make_plan,
    producer_command,
    sink_command,
    worker_command,
)

HERE = {"input_dir": "texts", "output_dir": "out"}
LEFT = Path("undone.json")


def plan_of(*, workers=1, config=None, **flags):
    return make_plan(load_settings(HERE | flags, config=config), workers=workers)


def test_without_settings_broker_and_model_server_are_started():
    plan = plan_of()
    assert plan.own_broker
    assert plan.own_model


def test_what_is_configured_is_used():
    assert not plan_of(bootstrap_servers="kafka:9092").own_broker
    assert not plan_of(model_urls="http://gpu:8000/v1").own_model


def test_an_address_in_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VLLM_SERVER_URL", "http://gpu:8000/v1")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    plan = plan_of()
    assert not plan.own_model
    assert not plan.own_broker


def test_the_guides_file_names_a_model_server():
    assert not plan_of(config="config_vllm_http.json").own_model


@pytest.mark.parametrize("output", ["texts", "texts/out", "texts/../texts/x"])
def test_results_among_the_texts_are_refused(output: str):
    with pytest.raises(SettingsError, match="would be read as texts"):
        plan_of(output_dir=output)


def test_both_directories_are_needed():
    with pytest.raises(SettingsError, match="--output-dir"):
        make_plan(load_settings({"input_dir": "texts"}))


def test_no_workers_are_refused():
    with pytest.raises(SettingsError, match="--workers"):
        plan_of(workers=0)


def test_secrets_reach_children_by_environment_and_never_as_arguments(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("file-canary\n")
    monkeypatch.setenv("VLLM_API_KEY_FILE", str(tmp_path / "key"))
    secure = {"security_protocol": "SASL_SSL", "sasl_username": "me", "sasl_password": "canary"}
    plan = plan_of(bootstrap_servers="kafka:9092", cache_url="redis://:canary@host", **secure)
    env = environment(plan.settings, {"VLLM_API_KEY_FILE": str(tmp_path / "key"), "PATH": "/bin"})
    assert (env["VLLM_API_KEY"], env["QASTREAM_SASL_PASSWORD"]) == ("file-canary", "canary")
    assert env["QASTREAM_CACHE_URL"] == "redis://:canary@host"
    assert "VLLM_API_KEY_FILE" not in env
    ready = tmp_path / "ready"
    commands = (broker_command(plan, ready), embedded_command(ready), sink_command(plan), worker_command(plan, 1))
    assert "canary" not in str((*commands, producer_command(plan, LEFT)))


def test_a_password_for_a_broker_that_has_none_is_refused():
    with pytest.raises(SettingsError, match="KAFKA_BOOTSTRAP_SERVERS"):
        plan_of(security_protocol="SASL_SSL", sasl_username="me", sasl_password="canary")


def test_children_are_told_addresses_and_places():
    settings = complete_settings(plan_of(), brokers="127.0.0.1:1", model_url="http://127.0.0.1:2/v1")
    env = environment(settings, {})
    assert env["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:1"
    assert env["VLLM_SERVER_URL"] == "http://127.0.0.1:2/v1"
    assert env["QASTREAM_MODEL_NAME"] == EMBEDDED_MODEL
    assert env["QASTREAM_CACHE_PATH"] == str(Path("out/.qastream/cache.sqlite"))


def test_a_given_cache_path_stays():
    settings = complete_settings(plan_of(cache_path="c.sqlite"), brokers=None, model_url=None)
    assert settings.worker.cache_path == Path("c.sqlite")


def test_a_child_reads_the_settings_that_were_given(monkeypatch: pytest.MonkeyPatch):
    """Given settings from a flag, the environment and the guide's file, when a child loads its environment, then they agree."""
    monkeypatch.setenv("VLLM_API_KEY", "secret")
    given = load_settings({"chunk_size": 300, "cache": False}, config="config_vllm_http.json")
    for name, value in environment(given, {}).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given


def test_defaults_are_not_passed_on():
    assert [name for name in environment(load_settings(), {}) if name.startswith("QASTREAM_")] == []


def test_each_process_has_a_port_of_its_own_where_one_is_asked_for():
    plan = plan_of(metrics_port=9400, workers=2)
    commands = [producer_command(plan, LEFT), sink_command(plan), worker_command(plan, 1), worker_command(plan, 2)]
    assert [command[-2:] for command in commands] == [["--metrics-port", str(9400 + i)] for i in range(4)]
    assert "--metrics-port" not in producer_command(plan_of(), LEFT)
    with pytest.raises(SettingsError, match="beyond 65535"):
        plan_of(metrics_port=65_533, workers=2)


def test_other_variables_reach_the_children():
    assert environment(load_settings(), {"PATH": "/bin"})["PATH"] == "/bin"
