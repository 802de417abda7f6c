"""The queue of a vLLM server in its metrics: https://docs.vllm.ai/en/latest/usage/metrics.html"""

import math

from inference.client import QueueSample

RUNNING, WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
TOKENS, TOKENS_S = "vllm:inter_token_latency_seconds_count", "vllm:inter_token_latency_seconds_sum"


def parse_queue(metrics: str) -> QueueSample | None:
    """The queue from metrics in Prometheus' text format, summed over the engines of one server.

    None if the names of vLLM are not there, or if their numbers can't be read.
    """
    found: dict[str, float] = {}
    for line in metrics.splitlines():
        name = line.partition("{")[0].partition(" ")[0]
        if name in (RUNNING, WAITING, TOKENS, TOKENS_S):
            try:
                found[name] = found.get(name, 0.0) + float(line.rsplit(" ", 1)[-1])
            except ValueError:
                return None
    if not {RUNNING, WAITING} <= found.keys() or not all(0 <= count < math.inf for count in found.values()):
        return None
    return QueueSample(found[RUNNING], found[WAITING], found.get(TOKENS), found.get(TOKENS_S, 0.0))
