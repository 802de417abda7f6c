import re

from hypothesis import given
from hypothesis import strategies as st

from server.broker.kafka_config import address, as_file, properties


def unescape(value: str) -> str:
    """As java.util.Properties does."""
    units = re.sub(
        r"\\u([0-9a-f]{4})|\\(.)", lambda m: chr(int(m[1], 16)) if m[1] else {"n": "\n"}.get(m[2], m[2]), value
    )
    return units.encode("utf-16", "surrogatepass").decode("utf-16")


def settings(**more: str | int) -> dict[str, str]:
    return properties(host="127.0.0.1", port=9092, controller_port=9093, log_dir="kafka", more=more)


def test_broker_and_controller_have_ports_of_their_own():
    assert settings()["listeners"] == "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert settings()["controller.quorum.voters"] == "1@127.0.0.1:9093"


def test_more_wins():
    assert settings(**{"message.max.bytes": 7})["message.max.bytes"] == "7"


def test_nothing_is_created_or_forgotten_by_itself():
    assert settings()["auto.create.topics.enable"] == "false"
    assert settings()["log.retention.ms"] == "-1"
    assert int(settings()["offsets.retention.minutes"]) > 60 * 24 * 365


def test_ipv6_addresses_stand_in_brackets():
    assert address("::1", 9092) == "[::1]:9092"


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_value_reads_back_from_the_file(value: str):
    line = as_file({"log.dirs": value})
    assert line.isascii()
    assert line.count("\n") == 1
    assert unescape(line.removeprefix("log.dirs=").removesuffix("\n")) == value


def test_listeners_come_on_top_of_ours_or_in_the_place_of_one_of_the_same_name():
    changed = settings(listeners="TLS://127.0.0.1:1,PLAINTEXT://127.0.0.1:2")
    assert changed["listeners"] == "PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:9093,TLS://127.0.0.1:1"
