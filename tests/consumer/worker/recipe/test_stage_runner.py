"""Recipes of several stages, over fake servers that follow a script."""

import asyncio
from collections import Counter
from itertools import count

import orjson
import pytest
from aiohttp import web

from chaos.fake_model import FakeModel, block_of, completion, good_answer, stage_of, text_of
from configs.recipe import Recipe, load_recipe
from schemas import Origin, Result, Status, decode, encode
from tests.support.chunks import make_chunk

ORIGIN = Origin(topic="qa.chunks", partition=0, offset=0)
TEXT = "Copper replaced aluminium in interconnects because its resistivity is lower. " * 12


@pytest.fixture(scope="module")
def standard() -> Recipe:
    return load_recipe("standard")


@pytest.fixture(scope="module")
def semiconductor() -> Recipe:
    return load_recipe("semiconductor")


def balanced(result: Result) -> bool:
    kept_and_rejected = Counter(pair.type for pair in result.pairs) + Counter(r.pair.type for r in result.rejected)
    return result.asked == dict(kept_and_rejected)


def checks(result: Result) -> list[str]:
    return [reason.check for rejected in result.rejected for reason in rejected.reasons]


def edited(body: dict, **changes: object) -> web.Response:
    return completion(orjson.dumps(orjson.loads(good_answer(body, text_of(body))) | changes).decode())


def marked(body: dict, mark: int, comment: str = "It is wrong.") -> web.Response:
    marks = body["response_format"]["json_schema"]["schema"]["properties"]["marks"]["properties"]
    return edited(body, marks=dict.fromkeys(marks, mark), comment=comment)


class Script:
    """Keeps the bodies of all requests. `answers` by stage replace the good ones."""

    def __init__(self, **answers) -> None:
        self.bodies: list[dict] = []
        self.answers = answers

    async def __call__(self, request: web.Request, body: dict) -> web.Response | None:
        self.bodies.append(body)
        answer = self.answers.get(stage_of(body))
        return answer(body) if answer else None

    @property
    def stages(self) -> Counter[str]:
        return Counter(map(stage_of, self.bodies))


async def test_standard_asks_answers_and_judges_each_question(make_answerer, standard):
    script = Script()
    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT, start=50), ORIGIN)
    asked = sum(result.asked.values())
    assert result.status is Status.OK
    assert result.planned == result.asked == dict(Counter(pair.type for pair in result.pairs))
    assert script.stages == {"questions": 1, "answer": asked, "marks": asked}
    assert result.usage.calls == 1 + 2 * asked
    assert result.usage.completion_tokens == 5 * (1 + 2 * asked)
    assert result.pairs[0].scores == {
        "answer": 0.9, "answer.support": 0.9, "answer.accuracy": 0.9, "answer.completeness": 0.9,
        "answer.self_contained": 0.9,
    }  # fmt: skip
    assert TEXT[result.pairs[0].evidence[0].start - 50 :].startswith(result.pairs[0].evidence[0].text)
    assert decode(Result, encode(result)) == result


async def test_answers_of_a_chunk_are_asked_for_together(make_answerer, standard):
    begun = asyncio.Barrier(2)  # as many as are asked

    async def script(request, body):
        if stage_of(body) == "answer":
            await begun.wait()

    async with FakeModel(script).serve() as server, asyncio.timeout(60):
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
    assert server.most_under_way == sum(result.asked.values()) == 2


async def test_every_finished_call_is_paid_for_once_even_when_the_worker_ends_between_stages(make_answerer, standard):
    asked: Counter[str] = Counter()

    async def script(request, body):
        asked[stage_of(body)] += 1
        if asked["marks"] == 1 and stage_of(body) == "marks":
            await asyncio.sleep(60)

    async with FakeModel(script).serve() as server:
        first = await make_answerer(server, recipe=standard)
        task = asyncio.create_task(first.answer(make_chunk(TEXT), ORIGIN))
        servers = make_answerer.servers[0]
        while not asked["marks"] or asked["marks"] < asked["answer"]:
            await asyncio.sleep(0.01)
        while servers.in_flight(servers.endpoints[0]) > 1:  # an answer has come when the worker has it
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await first.close()
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
        again = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT, 1), ORIGIN)
    assert result.usage.calls == 1
    assert result.usage.calls + result.usage.cached_calls == 1 + 2 * sum(result.asked.values())
    assert (again.usage.calls, again.usage.cached_calls) == (0, 1 + 2 * sum(result.asked.values()))


async def both_answer(servers):
    while any(endpoint.away for endpoint in servers.endpoints):
        await asyncio.sleep(0.01)


async def test_all_calls_of_a_chunk_go_to_one_server(make_answerer, standard):
    begun = asyncio.Barrier(4)

    async def script(request, body):
        if stage_of(body) == "questions":
            await begun.wait()

    async with FakeModel(script).serve() as one, FakeModel(script).serve() as other:
        answerer = await make_answerer(one, other, recipe=standard)
        await both_answer(make_answerer.servers[-1])
        texts = [f"{n} {TEXT}" for n in range(4)]  # not more calls than slots
        await asyncio.gather(*(answerer.answer(make_chunk(text, n), ORIGIN) for n, text in enumerate(texts)))
    assert set(one.calls) | set(other.calls) == set(texts)
    assert not set(one.calls) & set(other.calls)
    assert one.calls
    assert other.calls


async def test_a_text_that_does_not_pass_is_not_asked_about(make_answerer, semiconductor):
    script = Script(marks=lambda body: marked(body, 1, "A list of references."))
    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=semiconductor)).answer(make_chunk(TEXT), ORIGIN)
    assert (result.status, result.asked, script.stages) == (Status.EMPTY, {}, {"marks": 1})
    assert (result.skipped.check, result.skipped.detail) == ("text_score", "0.1 < 0.5: A list of references.")
    assert result.text_scores["depth"] == 0.1
    assert result.planned


async def test_questions_that_do_not_pass_are_rejected_and_not_answered(make_answerer, semiconductor):
    def gate(body):
        given = orjson.loads(good_answer(body, text_of(body)))
        given["marks"]["1"] = dict.fromkeys(given["marks"]["1"], 2)
        return completion(orjson.dumps(given).decode())

    script = Script(many_marks=gate)
    async with FakeModel(script).serve() as server:
        chunk = make_chunk(TEXT * 3)
        result = await (await make_answerer(server, recipe=semiconductor)).answer(chunk, ORIGIN)
    assert checks(result) == ["question_score"]
    assert balanced(result)
    assert script.stages["answer"] == script.stages["second_answer"] == len(result.pairs) > 0
    assert result.pairs[0].scores["question"] == result.pairs[0].scores["question.worth"] == 0.9


async def test_the_judge_sees_the_second_answer(make_answerer, semiconductor):
    script = Script(second_answer=lambda body: edited(body, answer="Something else."))
    async with FakeModel(script).serve() as server:
        await (await make_answerer(server, recipe=semiconductor)).answer(make_chunk(TEXT), ORIGIN)
    judged = [body for body in script.bodies if "<answer>" in body["messages"][1]["content"]]
    assert judged
    assert all(block_of(body, "second_answer") == "Something else." for body in judged)


async def test_what_the_text_does_not_answer_is_rejected_and_not_judged(make_answerer, standard):
    missing = {"answerable": False, "answer": "", "evidence": [], "reasoning": "The price is missing."}
    script = Script(answer=lambda body: edited(body, **missing))
    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
    assert result.status is Status.EMPTY
    assert set(checks(result)) == {"unanswerable"}
    assert result.rejected[0].reasons[0].detail == "The price is missing."
    assert balanced(result)
    assert "marks" not in script.stages


@pytest.mark.parametrize("keep_cut", [False, True])
async def test_an_answer_that_the_schemas_bound_has_cut_is_rejected(make_answerer, standard, keep_cut: bool):
    limits = standard.limits.model_copy(update={"keep_cut": keep_cut})
    recipe = standard.model_copy(update={"limits": limits})
    whole, quote = TEXT * 2, TEXT.partition(".")[0]
    script = Script(answer=lambda body: edited(body, answer=whole[: limits.answer_characters], evidence=[quote]))
    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=recipe)).answer(make_chunk(TEXT), ORIGIN)
    assert balanced(result)
    if keep_cut:
        assert not result.rejected
    else:
        assert not result.pairs
        assert set(checks(result)) == {"cut"}
        assert result.rejected[0].reasons[0].detail == "answer at 1000 characters"
        assert "marks" not in script.stages


async def test_a_question_that_was_cut_is_not_answered(make_answerer, standard):
    def long(body):
        asked = orjson.loads(good_answer(body, text_of(body)))["questions"]
        most = standard.limits.question_characters
        return edited(body, questions={kind: [(f"{q} " * 20)[:most] for q in each] for kind, each in asked.items()})

    script = Script(questions=long)
    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
    assert set(checks(result)) == {"cut"}
    assert script.stages == {"questions": 1}


async def test_a_pair_below_the_threshold_is_rejected_with_its_scores(make_answerer, standard):
    script = Script(marks=lambda body: marked(body, 6))
    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
    assert result.rejected[0].reasons[0].detail == "0.6 < 0.7: It is wrong."
    assert result.rejected[0].pair.scores["answer"] == 0.6
    assert balanced(result)


@pytest.mark.parametrize(
    ("first", "second", "rewritten", "kept"), [(6, 9, True, True), (6, 6, True, False), (3, 9, False, False)]
)
async def test_what_is_worth_it_is_written_anew_once(make_answerer, semiconductor, first, second, rewritten, kept):
    script = Script(
        rewriting=lambda body: edited(body, answer="A better answer."),
        marks=lambda body: marked(body, mark(body)),
    )

    def mark(body):
        content = body["messages"][1]["content"]
        return (second if "A better answer." in content else first) if "<answer>" in content else 9

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=semiconductor)).answer(make_chunk(TEXT), ORIGIN)
    asked = sum(result.asked.values())
    assert balanced(result)
    assert script.stages["rewriting"] == (asked if rewritten else 0)
    assert len(result.pairs) == (asked if kept else 0)
    for pair in [*result.pairs, *(rejected.pair for rejected in result.rejected)]:
        assert (pair.answer == "A better answer.") is rewritten
        assert pair.scores["answer"] == (second if rewritten else first) / 10


async def test_a_judgement_that_can_not_be_read_is_asked_for_again_and_then_a_letter_never_a_rejection(
    make_answerer, standard
):
    script = Script(marks=lambda body: completion('{"comment": "fine", "marks": {"support": 99}}'))
    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
    asked = script.stages["answer"]
    assert (result.status, result.error.error_class) == (Status.FAILED, "malformed")
    assert result.error.message.startswith("judge: the answer does not fit the schema: ")
    assert (result.pairs, result.rejected, result.asked) == ((), (), {})
    assert sum(result.planned.values()) == asked
    assert script.stages["marks"] == 5 * asked
    assert result.usage.calls == 1 + asked + 5 * asked


async def test_another_model_may_judge(make_answerer, standard):
    async with FakeModel().serve() as server, FakeModel(model="critic").serve() as critic:
        critic.root = "Org/critic"
        answerer = await make_answerer(server, recipe=standard, judge=critic)
        result = await answerer.answer(make_chunk(TEXT), ORIGIN)
    asked = sum(result.asked.values())
    assert (sum(server.calls.values()), sum(critic.calls.values())) == (1 + asked, asked)
    assert (result.model.name, result.judge.name, result.judge.root) == ("qwen-vllm", "critic", "Org/critic")
    assert (result.model.endpoint, result.judge.endpoint) == (server.url, critic.url)


async def test_what_a_reasoning_model_thought_is_kept_apart_from_its_answer(make_answerer, standard):
    def thoughtful(body):
        return completion(good_answer(body, text_of(body)), reasoning="Let me see.")

    short = standard.model_copy(update={"limits": standard.limits.model_copy(update={"thinking_characters": 3})})
    async with FakeModel(Script(answer=thoughtful)).serve() as server:
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
        without = await (await make_answerer(server, recipe=short)).answer(make_chunk(TEXT), ORIGIN)
    assert {(pair.thinking, pair.reasoning) for pair in result.pairs} == {("Let me see.", "It says so.")}
    assert {pair.thinking for pair in without.pairs} == {""}


async def test_a_chunk_whose_answer_stays_cut_is_asked_about_in_halves(make_answerer):
    sentences = [f"Sentence number {n} tells of copper. " for n in range(20)]
    whole = "".join(sentences)

    async def script(request, body):
        return completion("half", finish="length") if len(text_of(body)) > 0.3 * len(whole) else None

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server)).answer(make_chunk(whole, start=7), ORIGIN)
    assert (result.status, len(result.pairs), result.usage.calls) == (Status.OK, 4, 3 * 5 + 4)
    assert balanced(result)
    for pair in result.pairs:
        for evidence in pair.evidence:
            assert whole[evidence.start - 7 : evidence.end - 7] == evidence.text
    assert len({pair.evidence[0].start for pair in result.pairs}) == 4
    assert all(text.startswith("Sentence") for text in server.calls)
    assert len({pair.id for pair in result.pairs}) == 4


async def test_a_chunk_that_is_cut_in_quarters_too_is_a_letter(make_answerer):
    async with FakeModel(Script(pairs=lambda body: completion("half", finish="length"))).serve() as server:
        result = await (await make_answerer(server)).answer(make_chunk(TEXT), ORIGIN)
    assert (result.status, result.error.error_class, len(server.calls)) == (Status.FAILED, "truncated", 3)


async def test_more_tokens_than_the_server_has_are_a_cut_answer_too(make_answerer):
    whole = f"To begin with: {TEXT}"

    async def script(request, body):
        if len(text_of(body)) < len(whole):
            return None
        if body["max_tokens"] > 2048:
            return web.json_response({"error": {"message": "maximum context length"}}, status=400)
        return completion("half", finish="length")

    async with FakeModel(script).serve() as server:
        result = await (await make_answerer(server)).answer(make_chunk(whole), ORIGIN)
    assert (result.status, len(result.pairs), result.usage.calls) == (Status.OK, 2, 4)


async def test_one_failed_call_fails_the_chunk_and_wastes_none_of_the_others(make_answerer, standard):
    numbers = count()

    def refuse_one(body):
        refused = web.json_response({"error": {"message": "no"}}, status=400)
        return refused if next(numbers) == 0 else completion(good_answer(body, text_of(body)))

    async with FakeModel(Script(answer=refuse_one)).serve() as server:
        failed = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
        result = await (await make_answerer(server, recipe=standard)).answer(make_chunk(TEXT), ORIGIN)
    asked = sum(result.asked.values())
    assert (failed.status, failed.error.error_class) == (Status.FAILED, "refused")
    assert (result.status, result.usage.cached_calls) == (Status.OK, 1 + asked - 1)
