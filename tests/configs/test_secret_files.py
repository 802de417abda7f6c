import pytest

from configs.errors import SettingsError
from configs.secret_files import MAX_BYTES
from configs.settings import load_settings


def test_a_secret_may_stand_in_a_file(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("from-a-file\r\n")
    (tmp_path / "config.json").write_text('{"qastream": {"api_key": "from-the-config"}}')
    monkeypatch.setenv("VLLM_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("QASTREAM_CACHE_URL_FILE", "")  # empty, as compose files have it: not given
    settings = load_settings(config=str(tmp_path / "config.json"))
    assert settings.model.api_key.get_secret_value() == "from-a-file"
    assert settings.worker.cache_url is None


def test_a_variable_and_its_file_are_one_too_many(tmp_path, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "canary")
    monkeypatch.setenv("VLLM_API_KEY_FILE", str(tmp_path))
    with pytest.raises(SettingsError, match="VLLM_API_KEY and VLLM_API_KEY_FILE are both set") as caught:
        load_settings()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "No such file"), (b"\n", "empty"), (b"\xff", "UTF-8"), (b"x" * (MAX_BYTES + 1), "too large")],
)
def test_a_file_that_has_no_secret_is_refused_by_name(content, problem, tmp_path, monkeypatch):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("VLLM_API_KEY_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsError, match=f"VLLM_API_KEY_FILE.*{problem}"):
        load_settings()


def test_only_secrets_have_a_file(monkeypatch):
    monkeypatch.setenv("QASTREAM_NAMESPACE_FILE", "x")
    with pytest.raises(SettingsError, match="QASTREAM_NAMESPACE_FILE"):
        load_settings()


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"sasl_username": "me"}, "go together"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "me"}, "go together"),
        ({"sasl_username": "me", "sasl_password": "canary"}, "go together"),
        ({"ssl_cafile": "ca.pem"}, "need security_protocol SSL"),
        ({"security_protocol": "SSL", "ssl_keyfile": "key.pem"}, "need ssl_certfile"),
        ({"model_urls": "http://me:canary@host/v1"}, "has a password"),
    ],
)
def test_a_protection_that_would_not_be_there_is_refused(flags, problem):
    with pytest.raises(SettingsError, match=problem) as caught:
        load_settings(flags)
    assert "canary" not in str(caught.value)
