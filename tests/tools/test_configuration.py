from configs.settings import FIELDS, SECRETS, environment_name, flag_name
from tools.configuration import render


def test_it_has_every_setting_and_no_flag_for_a_secret():
    rows = {
        line.split("|")[2].split("`")[1]: line
        for line in render().splitlines()
        if line.startswith("| ") and "`" in line
    }
    assert set(rows) == {environment_name(name) for name in FIELDS}
    assert set(SECRETS) == {"api_key", "judge_api_key", "sasl_password", "ssl_key_password", "cache_url"}
    for name in FIELDS:
        assert (flag_name(name) in rows[environment_name(name)]) == (name not in SECRETS)
