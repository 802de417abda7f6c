"""Each recipe against the embedded server: the prompts and schemas of one are understood by the other."""

import asyncio
from pathlib import Path

import pytest

from configs.errors import SettingsError
from configs.recipe import FOLDER, load_recipe
from configs.settings import load_settings
from consumer.worker.model.cache import NoCache
from consumer.worker.model.language_model import LanguageModel
from consumer.worker.model.retry import Waits
from consumer.worker.model.servers import ModelServers
from consumer.worker.recipe.answering import Answerer
from pipeline.__main__ import main
from schemas import Origin, Status
from server.embedded.app import EmbeddedOptions, serve
from tests.support.chunks import make_chunk
from tests.support.pipeline import ROOT
from tests.support.settings import changed, endpoints_of

TEXTS = [
    (ROOT / "data" / "texts" / path).read_text()[:1500]
    for path in ("display/lcd-basics.md", "semiconductor/doping-and-pn-junction.md", "display/oled.md")
]


@pytest.mark.parametrize("name", ["fast", "standard", "semiconductor"])
async def test_every_question_that_it_finds_is_answered_and_kept(name: str):
    settings = load_settings({"model_name": "extractive"})
    async with serve(EmbeddedOptions()) as url:
        (endpoint,) = endpoints_of(changed(settings, model_urls=(url,)))
        servers = ModelServers([endpoint])
        watching = asyncio.create_task(servers.watch())
        answerer = Answerer(
            settings.model, load_recipe(name), LanguageModel("extractive", servers, NoCache(), waits=Waits())
        )
        origin = Origin(topic="qa.chunks", partition=0, offset=0)
        try:
            results = await asyncio.gather(*(answerer.answer(make_chunk(text), origin) for text in TEXTS))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await answerer.close()
            await endpoint.close()
    for result in results:
        assert result.status is not Status.FAILED, result.error
        assert sum(result.asked.values()) == len(result.pairs) + len(result.rejected)
        assert all(count >= result.asked.get(kind, 0) for kind, count in result.planned.items()) or name == "fast"
        assert {reason.check for each in result.rejected for reason in each.reasons} <= {"question_score"}
    assert sum(len(result.pairs) for result in results) >= 5


def test_a_bad_recipe_is_refused_before_anything_is_started(tmp_path: Path):
    own, output = tmp_path / "own.toml", tmp_path / "out"
    own.write_text((FOLDER / "recipes" / "standard.toml").read_text().replace("threshold", "treshold"))
    with pytest.raises(SettingsError, match=r"own\.toml: line 22: judge\.treshold: no such setting"):
        main(["--once", "--input-dir", str(tmp_path), "--output-dir", str(output), "--recipe", str(own)])
    assert not output.exists()
