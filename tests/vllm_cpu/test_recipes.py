"""Each recipe on a real vLLM: what random weights say is nonsense, but it is nonsense in the shape that was asked for."""

import asyncio
import json
import subprocess

import orjson
import pytest
from jsonschema import Draft202012Validator

from configs.recipe import Recipe, load_recipe
from configs.recipe_parts import Limits
from configs.settings import load_settings
from consumer.worker.model.cache import NoCache
from consumer.worker.model.endpoint import ModelEndpoint
from consumer.worker.model.language_model import LanguageModel
from consumer.worker.model.retry import Waits
from consumer.worker.model.servers import ModelServers
from consumer.worker.recipe.answering import Answerer
from inference.errors import TruncatedError
from schemas import Origin, Status
from tests.consumer.worker.recipe.test_stage_requests import requests
from tests.support.chunks import make_chunk
from tests.support.settings import endpoints_of
from tests.vllm_cpu.server import PYTHON, RunningVllm, ensure_installed

RECIPES = ("fast", "standard", "semiconductor")
TEXTS = (
    "光刻是一种把掩模版上的图形转移到晶圆上的工艺。曝光波长越短，可分辨的线宽越小。",
    "An excimer laser emits at 193 nm. Shorter wavelengths resolve finer lines.",
)
COMPILED = """
import json, sys, llguidance, xgrammar
for schema in json.load(sys.stdin):
    xgrammar.Grammar.from_json_schema(json.dumps(schema))
    grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
    assert not llguidance.LLMatcher.validate_grammar(grammar), schema
print("all")
"""

pytestmark = pytest.mark.timeout(420)


def small(name: str) -> Recipe:
    """With bounds that random weights reach within a moment: they never stop by themselves."""
    recipe = load_recipe(name)
    limits = Limits(
        question_characters=20, answer_characters=20, reasoning_characters=20, quotes=1, quote_characters=20,
        comment_characters=20,
    )  # fmt: skip
    plan = recipe.plan.model_copy(update={"pairs": 3, "characters_each": None, "most": 3})
    return recipe.model_copy(update={"limits": limits, "plan": plan})


def test_both_guided_decoders_compile_every_schema():
    """As the recipes are, with their own bounds."""
    ensure_installed()
    every = [requests(load_recipe(name), make_chunk(text * 30)) for name in RECIPES for text in TEXTS]
    schemas = [request.chat.response_format.schema for made in every for request in made.values()]
    done = subprocess.run(
        [PYTHON, "-c", COMPILED], input=json.dumps(schemas), capture_output=True, text=True, check=False
    )
    assert done.stdout == "all\n", done.stderr


async def finished(endpoint: ModelEndpoint, every: list) -> int:
    """All at once; how many ended by themselves. Each of those fits its schema and can be read."""
    answers = await asyncio.gather(*(endpoint.complete(r.chat) for r in every), return_exceptions=True)
    done = [(r, a.content) for r, a in zip(every, answers, strict=True) if not isinstance(a, BaseException)]
    assert all(isinstance(a, TruncatedError) for a in answers if isinstance(a, BaseException)), answers
    for request, content in done:
        Draft202012Validator(request.chat.response_format.schema).validate(orjson.loads(content))
        request.read(content)
    return len(done)


@pytest.mark.parametrize("name", RECIPES)
async def test_every_finished_answer_of_every_stage_fits_its_schema(vllm_cpu: RunningVllm, name: str):
    settings = load_settings({"model_urls": f"{vllm_cpu.base_url}/v1"})
    (endpoint,) = endpoints_of(settings)
    stages = [requests(small(name), make_chunk(f"{text} {n}"), max_tokens=2000) for text in TEXTS for n in range(4)]
    every = [request for made in stages for request in made.values()]
    try:
        ended = await finished(endpoint, every)
    finally:
        await endpoint.close()
    assert ended >= 0.9 * len(every)


@pytest.mark.parametrize("name", RECIPES)
async def test_a_recipe_ends_with_each_question_kept_or_rejected(vllm_cpu: RunningVllm, name: str):
    settings = load_settings({"model_urls": f"{vllm_cpu.base_url}/v1"})
    endpoints = endpoints_of(settings)
    servers = ModelServers(endpoints)
    watching = asyncio.create_task(servers.watch())
    recipe = small(name)
    if recipe.text_gate is not None:  # random marks would end it there
        gate = recipe.text_gate.model_copy(update={"threshold": 0.0, "least": 0.0})
        recipe = recipe.model_copy(update={"text_gate": gate})
    answerer = Answerer(
        settings.model, recipe, LanguageModel(settings.model.model_name, servers, NoCache(), waits=Waits())
    )
    origin = Origin(topic="qa.chunks", partition=0, offset=0)
    try:
        results = await asyncio.gather(*(answerer.answer(make_chunk(text, n), origin) for n, text in enumerate(TEXTS)))
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await answerer.close()
        await endpoints[0].close()
    for result in results:
        assert result.status is not Status.FAILED, result.error
        assert sum(result.asked.values()) == len(result.pairs) + len(result.rejected)
