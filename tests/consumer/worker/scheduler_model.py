"""A model of vLLM's scheduler in simulated time, and workers that drive it."""

import math
import random
from dataclasses import dataclass, field

from consumer.worker.model.controller import LimitController
from consumer.worker.model.servers import SEARCH_EVERY_S, look_again_s
from inference.client import QueueSample

STEP_S = 0.05


@dataclass
class Request:
    owner: int
    tokens_left: float
    began_s: float


@dataclass
class Server:
    """`slots` run at once; a decode step takes base + each per running request, as on a GPU that fills up.

    A prompt takes `prompt_s` to read, and only then does its request run. The metrics are `late_s` old at most.
    """

    slots: int
    base_s: float = 0.02
    each_s: float = 0.0004
    prompt_s: float = 0.0
    late_s: float = 0.0
    waiting: list[Request] = field(default_factory=list)
    running: list[Request] = field(default_factory=list)
    now_s: float = 0.0
    tokens: float = 0.0
    told_tokens: float = 0.0
    told_s: float = 0.0
    latencies: list[float] = field(default_factory=list)
    reading_s: float = 0.0
    told: QueueSample = field(default=QueueSample(0, 0))
    told_at_s: float = -math.inf

    def advance(self) -> list[Request]:
        """One simulation step; the requests that finished."""
        self.reading_s = min(self.reading_s + STEP_S, max(STEP_S, self.prompt_s))
        while self.waiting and len(self.running) < self.slots and self.reading_s >= self.prompt_s:
            self.running.append(self.waiting.pop(0))
            self.reading_s -= self.prompt_s
        self.now_s += STEP_S
        made = STEP_S / (self.base_s + self.each_s * len(self.running))
        for request in self.running:
            request.tokens_left -= made
        self.tokens += made * len(self.running)
        self.told_tokens += made * len(self.running)
        self.told_s += STEP_S * len(self.running)
        done = [r for r in self.running if r.tokens_left <= 0]
        self.running = [r for r in self.running if r.tokens_left > 0]
        self.latencies += [self.now_s - r.began_s for r in done]
        return done

    @property
    def sample(self) -> QueueSample:
        if self.now_s >= self.told_at_s + self.late_s:
            self.told = QueueSample(len(self.running), len(self.waiting), self.told_tokens, self.told_s)
            self.told_at_s = self.now_s
        return self.told

    @property
    def slower(self) -> float:
        """Time of a token now, beside that of a request alone."""
        return (self.base_s + self.each_s * len(self.running)) / (self.base_s + self.each_s)


def drive(server: Server, controllers: list[LimitController], *, seconds: float, seed: int) -> list[list[int]]:
    """Endless work for all controllers; their limits over time. The server goes on from where it was."""
    chance = random.Random(seed)
    in_flight = [sum(r.owner == n for r in (*server.running, *server.waiting)) for n in range(len(controllers))]
    history: list[list[int]] = []
    looks = [server.now_s + chance.random() * SEARCH_EVERY_S for _ in controllers]
    end = server.now_s + seconds
    while server.now_s < end:
        for number, controller in enumerate(controllers):
            while in_flight[number] < controller.limit:
                server.waiting.append(Request(number, chance.uniform(100, 500), server.now_s))
                in_flight[number] += 1
        for request in server.advance():
            in_flight[request.owner] -= 1
        for number, controller in enumerate(controllers):
            if server.now_s >= looks[number]:
                controller.observe(server.sample, in_flight[number])
                looks[number] += look_again_s(controller, in_flight[number]) * chance.uniform(0.5, 1.5)
        history.append([controller.limit for controller in controllers])
    return history
