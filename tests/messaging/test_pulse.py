"""When silence is a trouble. A broker that is frozen and one that is gone: tests/telemetry/test_whole_run.py."""

from messaging.pulse import LATE_S, Pulse


def test_silence_is_a_trouble_after_a_while_and_an_answer_ends_it():
    now_s = [100.0]
    pulse = Pulse("kafka:9092", clock=lambda: now_s[0])
    assert "has answered yet" in (pulse.trouble() or "")
    pulse.heard()
    now_s[0] += LATE_S
    assert pulse.trouble() is None
    now_s[0] += 1
    assert pulse.trouble() == "no Kafka broker at kafka:9092 has answered for 8 s"
    pulse.heard()
    assert pulse.trouble() is None
