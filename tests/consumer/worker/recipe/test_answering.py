import asyncio
import sqlite3
from contextlib import closing

import orjson
import pytest
from aiohttp import web

from chaos.fake_model import FakeModel, completion, text_of
from consumer.worker.model.cache import NoCache
from inference.errors import OutageError
from schemas import Origin, Status, decode, encode
from tests.support.chunks import make_chunk as chunk

ORIGIN = Origin(topic="qa.chunks", partition=0, offset=0)


async def test_a_chunk_becomes_pairs_with_evidence_at_its_place(make_answerer):
    text = "Copper replaced aluminium in interconnects."
    async with FakeModel().serve() as server:
        result = await (await make_answerer(server)).answer(chunk(text, start=100), ORIGIN)
    assert result.status is Status.OK
    (evidence,) = result.pairs[0].evidence
    assert text[evidence.start - 100 : evidence.end - 100] == evidence.text
    assert (result.usage.calls, result.usage.cached_calls, result.model.root) == (1, 0, "fake")
    assert decode(type(result), encode(result)) == result


async def test_equal_chunks_cost_one_call_together_and_later(make_answerer):
    async with FakeModel(latency_s=0.02).serve() as server:
        answerer = await make_answerer(server)
        results = await asyncio.gather(*(answerer.answer(chunk("Same text.", index=i), ORIGIN) for i in range(10)))
        later = await (await make_answerer(server)).answer(chunk("Same text.", index=11), ORIGIN)
    assert sum(server.calls.values()) == 1
    assert [sum(r.usage.calls for r in results), sum(r.usage.cached_calls for r in results)] == [1, 9]
    assert (later.usage.cached_calls, later.pairs[0].question) == (1, results[0].pairs[0].question)


async def test_another_sample_of_a_chunk_is_another_call(make_answerer):
    async with FakeModel().serve() as server:
        answerer = await make_answerer(server)
        for sample in (0, 1, 1, 0):
            await answerer.answer(chunk("Same text.").model_copy(update={"sample": sample}), ORIGIN)
    assert sum(server.calls.values()) == 2


async def test_without_a_cache_each_run_calls(make_answerer):
    async with FakeModel().serve() as server:
        answerer = await make_answerer(server, cache=False)
        for _ in range(3):
            await answerer.answer(chunk("Same text."), ORIGIN)
    assert sum(server.calls.values()) == 3


async def test_another_model_behind_the_same_name_is_another_answer(make_answerer):
    async with FakeModel().serve() as server:
        await (await make_answerer(server)).answer(chunk("Text."), ORIGIN)
        server.root = "newer"
        await (await make_answerer(server)).answer(chunk("Text."), ORIGIN)
    assert sum(server.calls.values()) == 2


async def test_text_without_a_letter_is_empty_and_costs_no_call(make_answerer):
    async with FakeModel().serve() as server:
        result = await (await make_answerer(server)).answer(chunk("-----\n***"), ORIGIN)
    assert (result.status, sum(server.calls.values())) == (Status.EMPTY, 0)


async def test_no_more_calls_at_the_server_than_allowed(make_answerer):
    async with FakeModel(latency_s=0.01).serve() as server:
        answerer = await make_answerer(server, concurrency=4)
        await asyncio.gather(*(answerer.answer(chunk(f"Text {i}."), ORIGIN) for i in range(40)))
    assert server.most_under_way == 4


async def test_bad_answers_are_asked_for_again_and_never_cached(make_answerer):
    bad = [completion("{"), completion('{"pairs": 3}'), completion("{}"), completion("half", finish="length")]

    async def script(request, body):
        return bad.pop() if bad else None

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server)).answer(chunk("Text."), ORIGIN)
    assert (result.status, result.usage.calls) == (Status.OK, 5)
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (50, 25)


async def test_a_chunk_that_fails_has_paid_for_its_answers(make_answerer):
    async def script(request, body):
        return completion("{")

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server)).answer(chunk("Text."), ORIGIN)
    assert (result.status, result.error.error_class) == (Status.FAILED, "malformed")
    assert (result.usage.calls, result.usage.completion_tokens) == (5, 25)


async def test_a_cut_answer_is_asked_for_with_more_tokens(make_answerer):
    asked = []

    async def script(request, body):
        asked.append(body["max_tokens"])
        return completion("half", finish="length") if len(asked) < 3 else None

    async with FakeModel(script).serve() as server:
        await (await make_answerer(server, max_tokens=100)).answer(chunk("Text."), ORIGIN)
    assert asked == [100, 200, 400]


async def test_a_refused_request_fails_at_once_with_its_reason(make_answerer):
    async def script(request, body):
        return web.json_response({"error": {"message": "maximum context length"}}, status=400)

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server)).answer(chunk("Text."), ORIGIN)
    assert (result.status, result.error.error_class, result.error.attempts) == (Status.FAILED, "refused", 1)
    assert "maximum context length" in result.error.message


async def test_what_a_server_says_can_be_written_although_it_is_no_unicode(make_answerer):
    """JSON can hold half a surrogate pair, UTF-8 can't."""

    async def script(request, body):
        return web.json_response({"error": {"message": "bad \ud83d"}}, status=400)

    server = FakeModel(script)
    server.root = "root \ud83d"
    async with server.serve():
        result = await (await make_answerer(server)).answer(chunk("Text."), ORIGIN)
    assert decode(type(result), encode(result)) == result
    assert (result.error.message, result.model.root) == ("one_call: HTTP 400: bad ?", "root ?")


async def test_invented_evidence_is_rejected_and_kept_apart(make_answerer):
    async def script(request, body):
        good = {"type": "factual", "question": "Is text true?", "answer": "Yes", "reasoning": ""}
        good["evidence"] = [text_of(body)]
        return completion(
            orjson.dumps({"pairs": [good, good | {"question": "Is text new?", "evidence": ["invented"]}]}).decode()
        )

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server)).answer(chunk("True text."), ORIGIN)
    assert len(result.pairs) == 1
    assert [reason.check for rejected in result.rejected for reason in rejected.reasons] == ["evidence_verbatim"]


async def test_a_bug_of_ours_is_an_outcome_too(make_answerer, monkeypatch):
    monkeypatch.setattr("consumer.worker.recipe.prompts.frame", lambda *a: 1 / 0)
    async with FakeModel().serve() as server:
        result = await (await make_answerer(server)).answer(chunk("Text."), ORIGIN)
    assert (result.status, result.error.error_class) == (Status.FAILED, "internal")


async def test_the_request_begins_with_what_is_common_and_shows_nothing_of_the_document(make_answerer):
    bodies = []

    async def script(request, body):
        bodies.append(body)

    text = "硅的禁带宽度为 1.12 eV。"
    async with FakeModel(script).serve() as server:
        await (await make_answerer(server)).answer(chunk(text, headings=("材料", "硅")), ORIGIN)
    system, user = bodies[0]["messages"]
    assert system["role"] == "system"
    assert "中文" in user["content"]
    assert user["content"].index("材料 > 硅") < user["content"].index(text) < user["content"].index("JSON")
    assert bodies[0]["response_format"]["type"] == "json_schema"


async def test_a_prompt_that_kills_the_server_is_found_and_its_neighbours_are_answered(make_answerer, monkeypatch):
    """The server dies of one prompt: every request in hand is cut off, and it needs a moment to come back."""
    crash, crashes = asyncio.Event(), []

    async def script(request, body):
        if "poison" in text_of(body):
            crashes.append(server.under_way)
            old, server_crash["now"] = server_crash["now"], asyncio.Event()
            old.set()
            request.transport.abort()
            server.probes_fail = True
            return
        dies = asyncio.create_task(server_crash["now"].wait())
        await asyncio.wait([dies], timeout=0.05)
        if dies.done():
            request.transport.abort()
        dies.cancel()
        return

    async def back_after_a_probe(endpoint):
        was_dead, server.probes_fail = server.probes_fail, False
        if was_dead:
            raise OutageError("it is restarted")

    monkeypatch.setattr("consumer.worker.model.endpoint.ModelEndpoint.probe", back_after_a_probe)
    server_crash = {"now": crash}
    server = FakeModel(script)
    async with server.serve():
        answerer = await make_answerer(server, concurrency=16, cache=False)
        texts = [f"Text {i}." for i in range(60)]
        texts.insert(7, "poison.")
        results = await asyncio.gather(*(answerer.answer(chunk(text, index=i), ORIGIN) for i, text in enumerate(texts)))
    failed = [result for result in results if result.status is Status.FAILED]
    assert [(result.chunk.text, result.error.error_class) for result in failed] == [("poison.", "kills_server")]
    assert sum(result.status is Status.OK for result in results) == 60
    assert (len(crashes), crashes[-1]) == (3, 1)


@pytest.mark.parametrize(("deaths", "ends"), [(5, "ok"), (6, "kills_server")])
async def test_beside_other_users_it_takes_more_crashes_to_be_found_guilty(
    make_answerer, monkeypatch, deaths: int, ends: str
):
    dead = False

    async def dies(request, body):
        nonlocal dead
        dead = sum(server.calls.values()) <= deaths
        if dead:
            request.transport.abort()

    async def probe_fails_once(endpoint):
        nonlocal dead
        was_dead, dead = dead, False
        if was_dead:
            raise OutageError("it is restarted")

    monkeypatch.setattr("consumer.worker.model.endpoint.IDLE_S", 0.05)
    monkeypatch.setattr("consumer.worker.model.endpoint.ModelEndpoint.probe", probe_fails_once)
    server = FakeModel(dies)
    server.queue = (1, 0)
    async with server.serve():
        result = await (await make_answerer(server, cache=False)).answer(chunk("Text."), ORIGIN)
    assert (result.error.error_class if result.error else result.status.value) == ends
    assert sum(server.calls.values()) == 6


async def test_a_connection_that_breaks_is_no_sign_of_a_crash(make_answerer):
    async def script(request, body):
        if server.calls[text_of(body)] <= 6:
            request.transport.abort()

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, cache=False)).answer(chunk("Text."), ORIGIN)
    assert (result.status, server.calls["Text."]) == (Status.OK, 7)


async def test_an_outage_costs_nobody_an_attempt(make_answerer):
    down = True

    async def script(request, body):
        return web.Response(status=502) if down else None

    server = FakeModel(script)
    async with server.serve():
        server.probes_fail = False
        answerer = await make_answerer(server, cache=False)
        waiting = asyncio.gather(*(answerer.answer(chunk(f"Text {i}.", index=i), ORIGIN) for i in range(20)))
        while sum(server.calls.values()) < 100:
            await asyncio.sleep(0.01)
        down = False
        results = await waiting
    assert {(result.status, result.usage.calls) for result in results} == {(Status.OK, 1)}


@pytest.mark.parametrize("fault", ["engine_hangs", "proxied"])
async def test_no_chunk_is_lost_to_a_server_whose_api_answers_and_whose_engine_does_not(
    make_answerer, monkeypatch, fault: str
):
    monkeypatch.setattr("consumer.worker.model.endpoint.PROBE_S", 0.3)
    server = FakeModel()
    async with server.serve():
        answerer = await make_answerer(server, cache=False, timeout_s=0.3)
        await answerer.answer(chunk("Healthy."), ORIGIN)
        setattr(server, fault, 500)
        waiting = asyncio.gather(*(answerer.answer(chunk(f"Text {i}.", index=i), ORIGIN) for i in range(20)))
        while make_answerer.servers[0].available and not waiting.done():
            await asyncio.sleep(0.01)
        assert not waiting.done()
        setattr(server, fault, None)
        results = await waiting
    assert {result.status for result in results} == {Status.OK}


async def test_a_chunk_that_alone_is_never_answered_in_time_becomes_a_dead_letter(make_answerer, monkeypatch):
    async def alive(endpoint):
        """Replaces a probe that would have only the call's 0.1 s."""

    monkeypatch.setattr("consumer.worker.model.endpoint.ModelEndpoint.probe", alive)

    async def script(request, body):
        if text_of(body) == "Never.":
            await asyncio.Event().wait()

    async with FakeModel(script).serve() as server:
        answerer = await make_answerer(server, cache=False, timeout_s=0.1)
        result = await answerer.answer(chunk("Never."), ORIGIN)
    assert (result.error.error_class, result.error.attempts) == ("transient", 5)
    assert server.calls["Never."] <= 5  # one that is late may be given up before the server has it


@pytest.mark.parametrize("damaged", [b"\xff not JSON", b"[]", b"{}", b"null", b'{"content": 5}', "text", 7])
async def test_a_damaged_cache_entry_is_asked_for_again(make_answerer, tmp_path, damaged: object):
    async with FakeModel().serve() as server:
        answerer = await make_answerer(server)
        await answerer.answer(chunk("some words"), ORIGIN)
        with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as cache, cache:
            cache.execute("UPDATE answers SET value = ?", (damaged,))
        results = [await answerer.answer(chunk("some words"), ORIGIN) for _ in range(2)]
    assert [result.status for result in results] == [Status.OK, Status.OK]
    assert [result.usage.cached_calls for result in results] == [0, 1]


class SlowCache(NoCache):
    """A cache that is as slow as one on another host may be."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.kept: list[str] = []

    async def put(self, key: str, value: bytes) -> None:
        self.begun.set()
        await asyncio.sleep(0.2)
        self.kept.append(key)


async def test_an_answer_that_has_come_is_kept_although_its_worker_ends(make_answerer):
    async with FakeModel().serve() as server:
        answerer = await make_answerer(server, store=(cache := SlowCache()))
        task = asyncio.create_task(answerer.answer(chunk("Text."), ORIGIN))
        await cache.begun.wait()
        task.cancel()
        await answerer.close()
    assert len(cache.kept) == 1
