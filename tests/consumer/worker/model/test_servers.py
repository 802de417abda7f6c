"""Several endpoints: who gets which call, and what the death of one costs."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from chaos.fake_model import FakeModel, asking, text_of
from configs.settings import load_settings
from consumer.worker.model.servers import ModelServers
from inference.chat import ChatRequest, Completion
from inference.client import ModelClient
from inference.errors import OutageError, TimedOutError, TransientError, WrongServerError
from tests.support.settings import endpoints_of

REQUEST = asking("some text")


Ask = Callable[[str, ChatRequest], Awaitable[Completion]]


class Asked:
    """A client whose completions come from `ask(url, request)`."""

    def __init__(self, client: ModelClient, ask: Ask) -> None:
        self.url, self.models, self.probe = client.url, client.models, client.probe
        self.queue, self.close = client.queue, client.close
        self._ask = ask

    async def complete(self, request: ChatRequest, **_: object) -> Completion:
        return await self._ask(self.url, request)


@asynccontextmanager
async def watched(*servers: FakeModel, timeout_s: float = 600, ask: Ask | None = None) -> AsyncIterator[ModelServers]:
    urls = ",".join(server.url for server in servers)
    settings = load_settings({"model_urls": urls, "timeout_s": timeout_s})
    endpoints = endpoints_of(settings, observed=lambda client: Asked(client, ask) if ask else client)
    pool = ModelServers(endpoints)
    watching = asyncio.create_task(pool.watch())
    try:
        yield pool
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for endpoint in endpoints:
            await endpoint.close()


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def answered(server: FakeModel) -> int:
    return sum(server.calls.values())


async def all_up(pool: ModelServers) -> None:
    await until(lambda: not any(endpoint.away for endpoint in pool.endpoints))


async def test_calls_are_shared_by_how_busy_the_endpoints_are():
    one, other = FakeModel(latency_s=0.05), FakeModel(latency_s=0.05)
    async with one.serve(), other.serve(), watched(one, other) as pool:
        await all_up(pool)
        await asyncio.gather(*(pool.complete(REQUEST) for _ in range(16)))
    assert answered(one) == answered(other) == 8


async def test_an_endpoint_three_times_slower_gets_a_third():
    """Without a clock: three calls end at one server for each that ends at the other."""
    asked: Counter[str] = Counter()

    async def ask(url: str, _: ChatRequest) -> Completion:
        asked[url] += 1
        await may_end[url].acquire()
        return Completion("", "", url, 1, 0, 1)

    fast, slow = FakeModel(), FakeModel()
    async with fast.serve(), slow.serve(), watched(fast, slow, ask=ask) as pool:
        await all_up(pool)
        for endpoint in pool.endpoints:
            endpoint.controller = endpoints_of(load_settings({"concurrency": 8}))[0].controller
        may_end = {fast.url: asyncio.Semaphore(0), slow.url: asyncio.Semaphore(0)}
        calls = asyncio.gather(*(pool.complete(REQUEST) for _ in range(640)))
        while not calls.done():
            for url in (fast.url, fast.url, fast.url, slow.url):
                may_end[url].release()
            for _ in range(20):
                await asyncio.sleep(0)
    assert 0.75 * 3 <= asked[fast.url] / asked[slow.url] <= 1.25 * 3


async def test_a_dead_endpoint_is_left_out_and_taken_back():
    one, other = FakeModel(), FakeModel()

    async def dead(request, body):
        return web.Response(status=502)

    async with one.serve(), other.serve(), watched(one, other) as pool:
        await all_up(pool)
        other.script, other.probes_fail = dead, True
        outcomes = await asyncio.gather(*(pool.complete(REQUEST) for _ in range(16)), return_exceptions=True)
        assert sum(isinstance(outcome, OutageError) for outcome in outcomes) == 8
        for _ in range(20):
            await pool.complete(REQUEST)
        other.script, other.probes_fail = None, False
        before = answered(other)
        await all_up(pool)
        await asyncio.gather(*(pool.complete(REQUEST) for _ in range(10)))
        assert answered(other) > before


async def test_with_all_away_calls_wait_and_nothing_is_available():
    server = FakeModel()
    async with server.serve(), watched(server) as pool:
        await all_up(pool)
        port = server.port
    async with server.serve(port), watched(server) as pool:
        await all_up(pool)
        server.probes_fail = True

        async def dead(request, body):
            return web.Response(status=502)

        server.script = dead
        with pytest.raises(OutageError):
            await pool.complete(REQUEST)
        assert not pool.available
        waiting = asyncio.create_task(pool.complete(REQUEST))
        server.script, server.probes_fail = None, False
        assert (await waiting).content


async def test_a_server_that_hangs_is_away_and_costs_no_attempt(monkeypatch):
    monkeypatch.setattr("inference.openai_client.LOOK_S", 0.2)
    server = FakeModel()
    async with server.serve(), watched(server, timeout_s=20) as pool:
        await all_up(pool)
        server.hangs = True
        outcomes = await asyncio.gather(
            *(pool.complete(REQUEST, patience=0.01) for _ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [OutageError] * 3
        assert not pool.available
        server.hangs = False
        assert (await pool.complete(REQUEST)).content


async def test_a_late_answer_of_a_server_that_lives_costs_an_attempt():
    async def late(request, body):
        await asyncio.Event().wait()

    server = FakeModel(late)
    async with server.serve(), watched(server, timeout_s=20) as pool:
        await all_up(pool)
        with pytest.raises(TimedOutError):
            await pool.complete(REQUEST, patience=0.01)
        assert pool.available


async def no_end(request, body):
    await asyncio.Event().wait()


async def never(request, body):
    if text_of(body) == "never":
        await asyncio.Event().wait()


async def test_an_engine_that_hangs_behind_an_api_that_answers_is_an_outage(monkeypatch):
    monkeypatch.setattr("consumer.worker.model.endpoint.PROBE_S", 0.2)
    server = FakeModel()
    async with server.serve(), watched(server, timeout_s=20) as pool:
        await all_up(pool)
        await pool.complete(REQUEST)
        server.engine_hangs = True
        outcomes = await asyncio.gather(
            *(pool.complete(REQUEST, patience=0.01) for _ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [OutageError] * 3
        assert not pool.available
        server.engine_hangs = False
        assert (await pool.complete(REQUEST)).content


@pytest.mark.parametrize("status", [500, 504])
async def test_a_proxy_that_answers_every_call_with_an_error_is_an_outage(status: int):
    server = FakeModel()
    async with server.serve(), watched(server) as pool:
        await all_up(pool)
        server.proxied = status
        with pytest.raises(OutageError):
            await pool.complete(REQUEST)
        assert not pool.available
        server.proxied = None
        assert (await pool.complete(REQUEST)).content


async def test_a_call_that_alone_is_late_while_others_are_answered_costs_an_attempt_and_no_probe(monkeypatch):
    """Nor does it matter that a probe would have to wait long."""
    monkeypatch.setattr("consumer.worker.model.endpoint.ModelEndpoint.probe", no_end)
    too_late = asyncio.Event()

    async def ask(url: str, request: ChatRequest) -> Completion:
        if "never" not in request.prompt:
            return Completion("", "", url, 1, 0, 1)
        await too_late.wait()
        raise TimedOutError("no answer in time")

    server = FakeModel()
    async with server.serve(), watched(server, ask=ask) as pool:
        await all_up(pool)
        late = asyncio.create_task(pool.complete(asking("never")))
        await until(lambda: pool.in_flight(pool.endpoints[0]) == 1)
        await pool.complete(asking("other"))
        too_late.set()
        with pytest.raises(TimedOutError):
            await late
        assert pool.available


async def test_an_answer_that_comes_while_a_probe_waits_is_a_sign_of_life_too(monkeypatch):
    probing, answer = asyncio.Event(), asyncio.Event()

    async def late_probe(endpoint):
        probing.set()
        await until(lambda: pool.in_flight(endpoint) == 1)
        raise TimedOutError("not one token")

    async def script(request, body):
        await (asyncio.Event() if text_of(body) == "never" else answer).wait()

    server = FakeModel(script)
    async with server.serve(), watched(server, timeout_s=0.3) as pool:
        await all_up(pool)
        monkeypatch.setattr("consumer.worker.model.endpoint.ModelEndpoint.probe", late_probe)
        late = asyncio.create_task(pool.complete(asking("never")))
        other = asyncio.create_task(pool.complete(asking("other"), patience=90))
        await probing.wait()
        answer.set()
        assert (await other).content
        with pytest.raises(TimedOutError):
            await late
        assert pool.available


async def test_calls_that_end_badly_together_cost_one_probe(monkeypatch):
    probes = []

    async def probe(endpoint):
        probes.append(endpoint)
        await until(lambda: endpoint.signs.waiting("probe") == 8)

    async def fails(request, body):
        nonlocal failed
        failed += 1
        return web.Response(status=500)

    failed = 0
    server = FakeModel(fails)
    monkeypatch.setattr("consumer.worker.model.endpoint.ModelEndpoint.probe", probe)
    async with server.serve(), watched(server) as pool:
        await all_up(pool)
        outcomes = await asyncio.gather(*(pool.complete(REQUEST) for _ in range(8)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TransientError] * 8
    assert len(probes) == 1


async def test_endpoints_with_different_models_are_refused_at_start():
    one, other = FakeModel(), FakeModel()
    other.root = "something else"
    async with one.serve(), other.serve():
        endpoints = endpoints_of(load_settings({"model_urls": f"{one.url},{other.url}"}))
        pool = ModelServers(endpoints)
        with pytest.raises(WrongServerError, match="different model"):
            async with asyncio.timeout(60):
                await pool.watch()
        for endpoint in endpoints:
            await endpoint.close()


async def test_a_recipe_may_let_them_have_different_models():
    one, other = FakeModel(), FakeModel()
    one.root, other.root = "b", "a"
    async with one.serve(), other.serve():
        endpoints = endpoints_of(load_settings({"model_urls": f"{one.url},{other.url}"}))
        pool = ModelServers(endpoints, any_model=True)
        watching = asyncio.create_task(pool.watch())
        await all_up(pool)
        assert await pool.root() == "a, b"
        watching.cancel()
        for endpoint in endpoints:
            await endpoint.close()


async def test_a_limit_follows_the_queue_of_the_server():
    server = FakeModel(latency_s=0.05)
    server.queue = (8, 0)
    async with server.serve(), watched(server) as pool:
        await all_up(pool)
        stop = asyncio.Event()

        async def keep_busy() -> None:
            while not stop.is_set():
                await pool.complete(REQUEST)

        busy = [asyncio.create_task(keep_busy()) for _ in range(64)]
        (endpoint,) = pool.endpoints
        await until(lambda: endpoint.limit > 12)
        server.queue = (8, 30)
        await until(lambda: endpoint.limit < 8)
        stop.set()
        await asyncio.gather(*busy)


async def test_the_root_is_asked_again_when_a_server_comes_back():
    server = FakeModel()
    async with server.serve(), watched(server) as pool:
        assert await pool.root() == "fake"

        async def dead(request, body):
            return web.Response(status=502)

        server.script, server.root = dead, "another"
        with pytest.raises(OutageError):
            await pool.complete(REQUEST)
        assert await pool.root() == "another"


async def test_a_paused_worker_begins_nothing_and_goes_on_when_resumed():
    server = FakeModel()
    async with server.serve(), watched(server) as pool:
        await all_up(pool)
        pool.pause()
        assert not pool.available
        waiting = asyncio.create_task(pool.complete(REQUEST))
        await asyncio.sleep(0.05)
        assert answered(server) == 0
        pool.resume()
        assert (await waiting).content
        assert pool.available


async def test_at_the_end_a_call_is_answered_although_another_waits_to_be_alone():
    go = asyncio.Event()

    async def script(request, body):
        await go.wait()

    server = FakeModel(script)
    async with server.serve(), watched(server) as pool:
        await all_up(pool)
        (endpoint,) = pool.endpoints
        call = asyncio.create_task(pool.complete(REQUEST))
        await until(lambda: pool.in_flight(endpoint) == 1)
        suspect = asyncio.create_task(pool.complete(REQUEST, alone=True))
        await asyncio.sleep(0)
        ending = asyncio.create_task(pool.finish())
        await asyncio.sleep(0)
        go.set()
        assert (await call).content
        await ending
        assert (answered(server), suspect.done()) == (1, False)
        suspect.cancel()


async def test_who_is_to_be_alone_waits_for_other_users_within_bounds_and_only_once(monkeypatch, caplog):
    monkeypatch.setattr("consumer.worker.model.endpoint.IDLE_S", 0.1)
    server = FakeModel()
    server.queue = (1, 0)
    async with server.serve(), watched(server) as pool:
        await all_up(pool)
        async with asyncio.timeout(30):
            suspect = asyncio.create_task(pool.complete(REQUEST, alone=True))
            others = [asyncio.create_task(pool.complete(REQUEST)) for _ in range(5)]
            await asyncio.gather(suspect, *others)
            monkeypatch.setattr("consumer.worker.model.endpoint.IDLE_S", 600)
            assert (await pool.complete(REQUEST, alone=True)).content
        assert caplog.text.count("has had requests of other users") == 1
        (endpoint,) = pool.endpoints
        endpoint.state.busy_until_s = 0
        waiting = asyncio.create_task(pool.complete(REQUEST, alone=True))
        await until(lambda: pool.in_flight(endpoint) == 1)
        assert answered(server) == 7
        server.queue = (0, 0)
        assert (await waiting).content
