"""The server's counts, in Prometheus text under vLLM's names, so that what watches vLLM watches this too."""

from dataclasses import dataclass, field

_LABELS = 'engine="0",model_name="extractive"'


@dataclass(slots=True)
class Metrics:
    """Since the server's start. Tokens as `prompt.count_tokens` counts them."""

    running: int = 0
    waiting: int = 0
    prompt_tokens: int = 0
    generation_tokens: int = 0
    success: dict[str, int] = field(default_factory=lambda: {"stop": 0, "length": 0, "abort": 0})

    def exposition(self) -> str:
        """Prometheus text format 0.0.4."""
        lines = [
            *_metric("num_requests_running", "gauge", "Requests being answered.", {"": self.running}),
            *_metric("num_requests_waiting", "gauge", "Requests waiting for a slot.", {"": self.waiting}),
            *_metric("kv_cache_usage_perc", "gauge", "There is no KV cache here.", {"": 0}),
            *_metric("num_preemptions_total", "counter", "Nothing is ever preempted here.", {"": 0}),
            *_metric("prompt_tokens_total", "counter", "Tokens of prompts.", {"": self.prompt_tokens}),
            *_metric("generation_tokens_total", "counter", "Tokens of answers.", {"": self.generation_tokens}),
            *_metric(
                "request_success_total",
                "counter",
                "Requests answered: this server's own request counter.",
                {f',finished_reason="{reason}"': count for reason, count in self.success.items()},
            ),
        ]
        return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, about: str, values: dict[str, int]) -> list[str]:
    samples = [f"vllm:{name}{{{_LABELS}{labels}}} {float(value)}" for labels, value in values.items()]
    return [f"# HELP vllm:{name} {about}", f"# TYPE vllm:{name} {kind}", *samples]
