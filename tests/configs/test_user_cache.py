import pwd
from pathlib import Path

import pytest

from configs.errors import SettingsError
from configs.settings import load_settings
from configs.user_cache import user_cache


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user as in a container with a random uid: no HOME, and no entry in the list of users."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_variable_is_named_that_helps(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingsError, match="set XDG_CACHE_HOME"):
        user_cache()
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert user_cache() == Path("/var/cache/qastream")


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_tilde_is_a_setting_that_can_not_be_used():
    with pytest.raises(SettingsError, match=r"--input-dir .*no home directory"):
        load_settings({"input_dir": "~/texts"})
