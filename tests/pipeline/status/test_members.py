"""Who works and what is left, as the brokers tell it, against workers that really are members."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from chaos.fake_model import FakeModel
from messaging.committed import CommitPoint
from pipeline.status.members import look_at_members, unfinished_of
from tests.consumer.worker.group.test_membership import working
from tests.support.chunks import make_chunk, publish


@given(st.lists(st.integers(0, 999), unique=True, max_size=30).map(sorted), st.integers(1000, 2000))
def test_a_commit_tells_what_is_unfinished(unfinished, following):
    point = CommitPoint.of(unfinished, following)
    assert unfinished_of(point, 0) == (len(unfinished), following)


def test_what_others_have_committed_counts_from_there_on():
    assert unfinished_of(CommitPoint(5, "strange"), 0) == (0, 5)


def test_without_a_commit_all_is_ahead():
    assert unfinished_of(None, 7) == (0, 7)


async def test_the_backlog_is_what_has_no_outcome_whatever_the_lag_says(make_settings):
    gate = asyncio.Event()

    async def script(request, body):
        if "slow" in body["messages"][-1]["content"]:
            await gate.wait()

    async with FakeModel(script).serve() as server:
        settings = make_settings(model_urls=server.url, cache=False, drain_s=1)
        for index in range(3):  # three transactions, each with its marker; in each a chunk that is not answered
            texts = [f"slow {index}.", *(f"Text {index} {number}." for number in range(9))]
            await publish(settings, [make_chunk(text, i) for i, text in enumerate(texts)], partition=index % 2)
        before = await look_at_members(settings.kafka)
        assert sum(backlog.unfinished for backlog in before.backlogs) == 30
        assert before.workers == ()
        async with working(settings):
            async with asyncio.timeout(30):
                while True:
                    seen = await look_at_members(settings.kafka)
                    if sum(backlog.unfinished for backlog in seen.backlogs) == 3 and seen.state == "Stable":
                        break
                    await asyncio.sleep(0.2)
            assert all(backlog.exact for backlog in seen.backlogs)
            assert [backlog.unfinished for backlog in seen.backlogs] == [2, 1, 0]
            [worker] = seen.workers
            assert worker.partitions == (0, 1, 2)
            gate.set()
            async with asyncio.timeout(30):
                while sum(backlog.unfinished for backlog in (await look_at_members(settings.kafka)).backlogs):
                    await asyncio.sleep(0.2)
