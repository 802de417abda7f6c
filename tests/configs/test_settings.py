import os
from pathlib import Path

import orjson
import pytest

from configs import cli
from configs.errors import SettingsError
from configs.settings import FIELDS, environment_name, flag_name, load_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for field in FIELDS:
        monkeypatch.delenv(environment_name(field), raising=False)


def write(path: Path, content: object) -> str:
    path.write_bytes(orjson.dumps(content))
    return str(path)


def test_flag_beats_environment_beats_file_beats_default(tmp_path, monkeypatch):
    config = write(tmp_path / "c.json", {"qastream": {"chunk_size": 300, "namespace": "file", "partitions": 3}})
    monkeypatch.setenv("QASTREAM_CHUNK_SIZE", "200")
    monkeypatch.setenv("QASTREAM_NAMESPACE", "environment")
    settings = load_settings({"chunk_size": "100", "namespace": None}, config=config)
    assert (settings.producer.chunk_size, settings.kafka.namespace, settings.kafka.partitions, settings.worker.flush_ms) == (
        100, "environment", 3, 200,
    )  # fmt: skip


def test_the_guides_file_as_it_stands():
    settings = load_settings(config="config_vllm_http.json")
    assert settings.model.model_urls == ("http://localhost:8000/v1",)
    assert settings.model.api_key.get_secret_value() == "dummy-key"
    assert (settings.model.model_name, settings.model.temperature, settings.model.max_tokens) == (
        "qwen-vllm",
        0.7,
        2048,
    )


def test_the_guides_remote_example_has_a_base_url_only(tmp_path):
    remote = {"models": {"local_models": {"vllm_http": {"base_url": "http://remote-server:8000/v1"}}}}
    assert load_settings(config=write(tmp_path / "r.json", remote)).model.model_urls == (
        "http://remote-server:8000/v1",
    )


def test_the_guides_environment_beats_its_file(monkeypatch):
    monkeypatch.setenv("VLLM_SERVER_URL", "http://a:1/v1, http://b:2/v1/")
    monkeypatch.setenv("VLLM_API_KEY", "k")
    settings = load_settings(config="config_vllm_http.json")
    assert (settings.model.model_urls, settings.model.api_key.get_secret_value()) == (
        ("http://a:1/v1", "http://b:2/v1"),
        "k",
    )


def test_base_url_wins_and_a_differing_pair_is_warned_about(tmp_path, caplog):
    both = {
        "api": {"vllm_server_url": "http://one:1/v1"},
        "models": {"local_models": {"vllm_http": {"base_url": "http://two:2/v1"}}},
    }
    assert load_settings(config=write(tmp_path / "b.json", both)).model.model_urls == ("http://two:2/v1",)
    assert "vllm_server_url" in caplog.text


@pytest.mark.parametrize("where", ["top", "api", "vllm_http"])
def test_what_the_guide_tells_users_to_tune_is_taken_wherever_they_put_it(tmp_path, where):
    tuning = {"timeout": 90, "batch_size": 7, "cache": False}
    content = {
        "top": tuning,
        "api": {"api": tuning},
        "vllm_http": {"models": {"local_models": {"vllm_http": tuning}}},
    }[where]
    settings = load_settings(config=write(tmp_path / "t.json", content))
    assert (settings.model.timeout_s, settings.worker.concurrency, settings.worker.cache) == (90, 7, False)


@pytest.mark.parametrize("api", [{"default_backend": "transformers"}, {"use_vllm_http": False}])
def test_other_backends_are_refused_with_the_reason(tmp_path, api):
    with pytest.raises(SettingsError, match="vLLM server's HTTP"):
        load_settings(config=write(tmp_path / "o.json", {"api": api}))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"api": {"vllm_server": "x"}}, "api.vllm_server"),
        ({"models": {"local_models": {"vllm_http": {"max_tokens": "many"}}}}, "max_tokens"),
        ({"qastream": {"chunk_sise": 1}}, "chunk_sise"),
        ({"qastream": {"chunk_size": 1}}, "--chunk-size"),
        ([], "the whole file"),
    ],
)
def test_unknown_keys_and_bad_values_are_named(tmp_path, content, named):
    with pytest.raises(SettingsError, match=named):
        load_settings(config=write(tmp_path / "u.json", content))


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 10_000])
def test_a_file_that_is_no_json_is_refused(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(SettingsError, match=r"x\.json"):
        load_settings(config=str(tmp_path / "x.json"))


def test_a_missing_file_is_refused_with_the_places_looked_at():
    with pytest.raises(SettingsError, match="configs"):
        load_settings(config="no-such-file.json")


def test_an_unknown_setting_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("QASTREAM_CHUNK_SISE", "1")
    with pytest.raises(SettingsError, match="QASTREAM_CHUNK_SISE"):
        load_settings()


def test_an_error_names_flag_and_variable_and_not_the_value(monkeypatch):
    monkeypatch.setenv("VLLM_SERVER_URL", "ftp://user:hunter2@host/v1")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert "VLLM_SERVER_URL" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_the_key_is_in_no_repr_and_is_no_flag():
    settings = load_settings({"api_key": "hunter2"})
    assert "hunter2" not in f"{settings!r}{settings}"
    assert not any("api_key" in group for group in (cli.MODEL, cli.WORKER, cli.KAFKA))


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().producer.chunk_size = 1


def test_every_setting_says_what_it_is():
    assert [name for name, field in FIELDS.items() if not field.description] == []


def test_load_reads_the_environment_it_is_given_for_unknown_names():
    assert load_settings(environ={"PATH": os.environ["PATH"]}).kafka.partitions == 12


def test_another_model_may_judge():
    assert load_settings({}).judge is None
    settings = load_settings({"api_key": "ours", "judge_urls": "http://a:1/v1, http://b:1/v1", "judge_model_name": "m"})
    judge = settings.judge
    assert judge
    assert (judge.model_urls, judge.model_name) == (("http://a:1/v1", "http://b:1/v1"), "m")
    assert judge.api_key.get_secret_value() != "ours"
    same_server = load_settings({"api_key": "ours", "judge_model_name": "m"}).judge
    assert same_server
    assert same_server.model_urls == load_settings({}).model.model_urls
    assert same_server.api_key.get_secret_value() == "ours"
    with pytest.raises(SettingsError, match="judge-urls"):
        load_settings({"judge_urls": "a:1"})


@pytest.mark.parametrize("field", ["input_dir", "output_dir", "done_dir", "cache_path"])
def test_an_empty_path_is_not_the_current_directory(field: str):
    with pytest.raises(SettingsError, match=f"{flag_name(field)}.*is empty"):
        load_settings({field: ""}, environ={})


def test_home_may_be_named_where_the_shell_does_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load_settings({"output_dir": "~/papers-qa"}, environ={}).sink.output_dir == Path("/home/somebody/papers-qa")


def test_what_is_wrong_in_a_file_is_said_to_be_there(tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text('{"qastream": {"chunk_size": "many", "chunk_sizes": 3}}')
    with pytest.raises(SettingsError) as caught:
        load_settings(config=str(file), environ={})
    assert f"--chunk-size (QASTREAM_CHUNK_SIZE) in {file}: " in str(caught.value)
    assert f"chunk_sizes in {file}: no such setting" in str(caught.value)
    with pytest.raises(SettingsError, match=r"QASTREAM_CHUNK_SIZE\): "):
        load_settings({"chunk_size": "many"}, config=str(file), environ={})
