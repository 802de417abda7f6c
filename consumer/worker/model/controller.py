"""The number of calls that one worker may have under way at one server, by arithmetic on what its queue shows.

A server is fed when a few requests wait, and flooded when many do: more calls then only make each of them slower. Many
workers may share a server without knowing of each other. All see the same queue. Each adds the same when the queue runs
dry, and gives up its own share of what is too much, so their limits approach each other (additive increase,
multiplicative decrease: Chiu and Jain, 1989).
"""

from inference.client import QueueSample

LEAST_WAITING = 1
LEAST_WAITING_SHARE = 3 / 16
"""Least share of the running requests that should wait: with fewer, slots of requests that end together stay empty."""
MOST_WAITING = 4
MOST_WAITING_SHARE = 1 / 2
"""The queue may hold this share of the running requests, and at least MOST_WAITING."""
COLD_GROWTH = 0.5
"""Part of the limit that a step adds while nothing waits and the controller is cold: since the start the server has not
been full. Were it a part of all running requests, workers that start together would all add the same large number."""
GROWTH = 1 / 32
"""Part of the server's running requests that a later step adds."""
DECAY = 0.02
"""Part of the limit that a step gives up while the queue is right, so that workers approach each other then too."""
CUT = 0.7
"""Factor for the limit after an overload that a server without metrics reports."""
OVERLOADED_SHARE = 1 / 8
"""Least part of the calls of a step that an overload refuses: with fewer, the server refuses at random."""
USED = 0.9
"""Least part of the limit in use for a step to raise it: an unused limit says nothing about the server."""
MOST_SLOWER = 1.3
"""A token may take so many times as long as alone before a limit with a share below 1 is lowered."""
SLOWER = 1.15
"""Up to this factor the limit may still be raised."""
FEW_TOKENS = 30
"""Least tokens between two looks: the mean of fewer says too little."""


class SlowDown:
    """Measures how much longer a token takes than for a request that has the server to itself."""

    def __init__(self) -> None:
        self._since: QueueSample | None = None
        self._alone_s: float | None = None
        self._now: float | None = None

    def observe(self, sample: QueueSample) -> float | None:
        """The factor, by the tokens since enough of them were known the last time; None while nothing is known."""
        if sample.tokens is None:
            return 1.0
        if self._since is None or self._since.tokens is None or sample.tokens < self._since.tokens:  # or it began anew
            self._since = sample
        elif sample.tokens - self._since.tokens >= FEW_TOKENS:
            self._learn((sample.tokens_s - self._since.tokens_s) / (sample.tokens - self._since.tokens), sample.running)
            self._since = sample
        return self._now

    def _learn(self, each_s: float, running: float) -> None:
        if self._alone_s is None or running <= 1:
            self._alone_s = each_s
        self._alone_s = min(self._alone_s, each_s)
        self._now = each_s / self._alone_s if self._alone_s > 0 else 1.0


class LimitController:
    """The limit of one worker at one server, within [least, most]. Call `observe` or `tick` at a steady pace.

    `calm` is the number of steps since the queue was last wrong. After many the next one may wait: a step costs time.
    """

    def __init__(self, *, least: int, most: int, start: int, share: float = 1.0) -> None:
        """A `share` below 1 leaves the rest to other users: our calls must neither wait there nor slow it down."""
        self._least, self._most = least, most
        self._share = share
        self._capacity = float("inf")
        self._slow_down = SlowDown()
        self._limit = float(min(max(start if share == 1 else least, least), most))
        self._cold = True
        self._most_ran = 0.0
        self._frozen = False
        self.calm = 0
        self._ended = 0
        self._refused = 0

    @property
    def limit(self) -> int:
        return int(self._limit)

    def searching(self, in_flight: int) -> bool:
        """True if a step soon brings the limit nearer to what the server can run: only from cold, with work enough."""
        return self._cold and self._limit < self._most and in_flight >= USED * self.limit

    def observe(self, sample: QueueSample, in_flight: int) -> None:
        """One step by the server's own queue; `in_flight` are this worker's calls there."""
        self._thaw(in_flight)
        self._cold = self._cold and (sample.waiting < LEAST_WAITING or sample.running > self._most_ran)
        self._most_ran = max(self._most_ran, sample.running)
        right = self._least_waiting(sample) <= sample.waiting <= self._most_waiting(sample)
        self.calm = self.calm + 1 if right and self._share == 1 else 0
        if self._share < 1:
            self._yield(sample, in_flight)
        elif sample.waiting < self._least_waiting(sample):
            if in_flight >= USED * self.limit:
                self._grow(sample, in_flight)
        elif self._cold:  # the server still takes in our calls: prompts wait to be read, not for a slot
            pass
        elif sample.waiting > self._most_waiting(sample):
            self._cut_excess(sample, in_flight)
        elif not self._frozen:
            self._set(self._limit * (1 - DECAY))

    def tick(self, in_flight: int) -> None:
        """One step for a server without metrics: grow until it says that it is overloaded."""
        self._thaw(in_flight)
        if self._refused > OVERLOADED_SHARE * self._ended:
            self._set(self._limit * CUT)
            self._frozen = True
        elif not self._frozen and in_flight >= USED * self.limit:
            self._set(self._limit + max(1.0, GROWTH * self._limit))
        self._ended = self._refused = 0

    def ended(self, *, overloaded: bool) -> None:
        """A call came back; `overloaded` if the server refused it as too much, or was too slow."""
        self._ended += 1
        self._refused += overloaded

    def _yield(self, sample: QueueSample, in_flight: int) -> None:
        """Learns how many requests run when the server is full, and stays below our share of them.

        When others wait, it lowers the limit at once.
        """
        slower = self._slow_down.observe(sample)
        if sample.waiting >= LEAST_WAITING:
            self._capacity = sample.running
            self._set(min(self._limit, in_flight) * CUT)
        elif slower is None:  # the first calls go alone, to find out
            pass
        elif slower > MOST_SLOWER:
            self._cut_once(min(self._limit, in_flight) * max(CUT, SLOWER / slower))
        elif slower < SLOWER and in_flight >= USED * self.limit:
            self._grow(sample, in_flight)
        self._set(min(self._limit, self._share * self._capacity))

    def _grow(self, sample: QueueSample, in_flight: int) -> None:
        """Takes a large step only if the sample already shows the calls of the last large step; metrics can be old."""
        large = self._cold and sample.running + sample.waiting >= USED * in_flight
        self._set(self._limit + max(1.0, COLD_GROWTH * self._limit if large else GROWTH * sample.running))

    def _cut_excess(self, sample: QueueSample, in_flight: int) -> None:
        """Gives up our share of what is too much."""
        excess = sample.waiting - self._most_waiting(sample) / 2
        share = in_flight / (sample.running + sample.waiting)
        self._cut_once(min(self._limit, in_flight) - excess * min(1.0, share))

    def _cut_once(self, limit: float) -> None:
        """Cuts, and not again before the excess has drained: else each look would cut."""
        if not self._frozen:
            self._set(limit)
            self._frozen = True

    def _thaw(self, in_flight: int) -> None:
        self._frozen = self._frozen and in_flight > self.limit

    def _least_waiting(self, sample: QueueSample) -> float:
        return max(LEAST_WAITING, LEAST_WAITING_SHARE * sample.running)

    def _most_waiting(self, sample: QueueSample) -> float:
        return max(MOST_WAITING, MOST_WAITING_SHARE * sample.running)

    def _set(self, limit: float) -> None:
        self._limit = min(max(limit, self._least), self._most)
