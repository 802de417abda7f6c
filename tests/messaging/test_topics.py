import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NodeNotReadyError

from messaging.connection import BrokerUnreachableError
from messaging.topics import cluster_id, ensure_topics
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
