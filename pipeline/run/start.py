"""Starts the processes of a run, each with the addresses of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson

from configs.recipe import load_recipe
from configs.sections import ModelSettings
from configs.settings import Settings
from pipeline.progress.view import View
from pipeline.run import plan as planning
from pipeline.run.children import Child, MayEnd, never, wait_for_file
from pipeline.run.family import Family
from pipeline.run.plan import RunPlan
from pipeline.run.server_look import complaint
from pipeline.run.undone import may_end, undone_file


@dataclass(frozen=True, slots=True)
class Starter:
    plan: RunPlan
    family: Family
    view: View
    environ: Mapping[str, str]

    async def servers(self) -> Settings:
        """Starts broker and model server where none is configured. Returns the settings with their addresses."""
        broker = self._broker() if self.plan.own_broker else None
        model = self._model() if self.plan.own_model else None
        brokers = orjson.loads(await wait_for_file(*broker))["bootstrap_servers"] if broker else None
        url = orjson.loads(await wait_for_file(*model))["base_url"] if model else None
        settings = planning.complete_settings(self.plan, brokers=brokers, model_url=url)
        if not brokers:
            self.view.note(f"Using Kafka at {settings.kafka.brokers}.")
        if not url:
            self.view.note(f"Using the model server at {', '.join(settings.model.model_urls)}.")
            await self._look_at_models(settings.model)
        if settings.judge is not None:
            await self._look_at_judge(settings.judge, settings.worker.recipe)
        return settings

    def processes(self, settings: Settings) -> Child:
        """Starts sink, workers and producer. Returns the producer."""
        _cleared(self.plan.layout.sink_state)
        self._start({"sink": planning.sink_command(self.plan)}, settings, grace_s=30)
        numbers = range(1, self.plan.workers + 1)
        workers = {f"worker-{number}": planning.worker_command(self.plan, number) for number in numbers}
        self._start(workers, settings, grace_s=settings.worker.drain_s + 15)
        if not self.plan.once:
            self.view.note(f"Watching {self.plan.input_dir} for texts. Ctrl-C stops everything in order.")
            if self.plan.own_broker:
                self.view.note(f"For other commands meanwhile: KAFKA_BOOTSTRAP_SERVERS={settings.kafka.brokers}")
        command = planning.producer_command(self.plan, _cleared(undone_file(self.plan.layout.home)))
        ends = partial(may_end, self.plan.layout.home) if self.plan.once else never
        return self._start({"producer": command}, settings, grace_s=10, ends=ends)

    def _broker(self) -> tuple[Child, Path]:
        self.view.note("Starting Apache Kafka on this machine; the first time it is downloaded (some 50 MB).")
        ready = _cleared(self.plan.layout.broker)
        commands = {"broker": planning.broker_command(self.plan, ready)}
        return self._start(commands, self.plan.settings, grace_s=30), ready

    def _model(self) -> tuple[Child, Path]:
        self.view.note(
            "Starting the embedded model server. Its model `extractive` makes pairs of the text's own sentences: "
            "good for trying the pipeline, not for training data."
        )
        ready = _cleared(self.plan.layout.home / "model.json")
        return self._start({"model": planning.embedded_command(ready)}, self.plan.settings, grace_s=5), ready

    def _start(
        self, commands: Mapping[str, Sequence[str]], settings: Settings, *, grace_s: float, ends: MayEnd = never
    ) -> Child:
        """Starts a group of processes with these settings, and returns the first one."""
        env = planning.environment(settings, self.environ)
        return self.family.start(commands, env, grace_s=grace_s, may_end=ends)[0]

    async def _look_at_judge(self, judge: ModelSettings, recipe: str) -> None:
        if load_recipe(recipe).judge is None:
            self.view.note(f"Nothing is judged: the recipe {recipe} has no [judge].")
            return
        self.view.note(f"Answers are judged by {judge.model_name} at {', '.join(judge.model_urls)}.")
        await self._look_at_models(judge)

    async def _look_at_models(self, model: ModelSettings) -> None:
        """Tells the user which servers do not answer. The run goes on: a server may load its weights for minutes."""
        for url in model.model_urls:
            if why := await complaint(model, url):
                self.view.note(why)


def _cleared(path: Path) -> Path:
    """Removes the file that an earlier process wrote there, and returns its path."""
    path.unlink(missing_ok=True)
    return path
