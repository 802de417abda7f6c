import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NodeNotReadyError

from messaging.connection import BrokerUnreachableError, admin_client
from messaging.topics import TopicError, bad_settings, cluster_id, ensure_topics
from schemas import TopicNames


@pytest.fixture
def absences(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """The broker goes away before an admin's request, as often as there are items; each takes one."""
    left: list[None] = []
    send = AIOKafkaAdminClient._send_request

    async def send_or_fail(self: AIOKafkaAdminClient, *args, **options):
        if left:
            left.pop()
            raise NodeNotReadyError("the broker went away")
        return await send(self, *args, **options)

    monkeypatch.setattr(AIOKafkaAdminClient, "_send_request", send_or_fail)
    return left


async def test_a_broker_that_goes_away_meanwhile_is_asked_again(make_settings, absences: list[None]):
    settings = make_settings()
    absences += [None] * 2
    assert await ensure_topics(settings.kafka) == dict.fromkeys(TopicNames(settings.kafka.namespace).configs, 3)
    absences.append(None)
    assert await cluster_id(settings.kafka)
    assert not absences


async def test_patience_ends(make_settings, absences: list[None]):
    absences += [None] * 1000
    with pytest.raises(BrokerUnreachableError, match="went away"):
        await cluster_id(make_settings().kafka, patience_s=0.5)


async def test_topics_that_an_admin_made_are_looked_at(make_settings, caplog):
    kafka = make_settings().kafka
    names = TopicNames(kafka.namespace)
    made = {
        names.chunks: {"retention.ms": "604800000", "retention.bytes": "1000", "max.message.bytes": "1000000"},
        names.results: {"min.insync.replicas": "2"} | {"retention.ms": "-1"},
        names.files: {"cleanup.policy": "compact"},
    }
    async with admin_client(kafka) as admin:
        await admin.create_topics([NewTopic(topic, 2, 1, topic_configs=configs) for topic, configs in made.items()])
    await ensure_topics(kafka)
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    for topic, settings in (
        (names.chunks, ("retention.ms=604800000", "retention.bytes=1000", "max.message.bytes=1000000")),
        (names.results, ("min.insync.replicas=2",)),
    ):
        for setting in settings:
            assert any(f"topic {topic} has {setting}: " in line for line in said)
            name = setting.partition("=")[0]
            assert any(f"--topic {topic} --add-config {name}=" in line for line in said)
    assert not any(f"topic {names.files} has retention" in line for line in said)


async def test_a_topic_of_results_that_is_compacted_is_refused(make_settings):
    kafka = make_settings().kafka
    topic = TopicNames(kafka.namespace).results
    async with admin_client(kafka) as admin:
        await admin.create_topics([NewTopic(topic, 2, 1, topic_configs={"cleanup.policy": "compact"})])
    with pytest.raises(TopicError, match=f"{topic} has cleanup.policy=compact: .*--add-config cleanup.policy=delete"):
        await ensure_topics(kafka)


async def test_topics_of_ours_have_nothing_bad(make_settings, caplog):
    await ensure_topics(make_settings().kafka)
    assert "Mend it" not in caplog.text
    for configs in TopicNames("t").configs.values():
        assert list(bad_settings(configs, configs, copies=3)) == []
