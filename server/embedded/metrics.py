"""The server's counters in Prometheus text, under vLLM's names, so that what watches vLLM can watch this server too."""

from dataclasses import dataclass, field
from typing import Any

_LABELS = 'engine="0",model_name="extractive"'


@dataclass(slots=True)
class EmbeddedMetrics:
    """Counts since the server's start. Tokens are those of `prompt.count_tokens`."""

    running: int = 0
    waiting: int = 0
    prompt_tokens: int = 0
    generation_tokens: int = 0
    success: dict[str, int] = field(default_factory=lambda: {"stop": 0, "length": 0, "abort": 0})

    def answered(self, response: dict[str, Any]) -> None:
        self.success[response["choices"][0]["finish_reason"]] += 1
        self.prompt_tokens += response["usage"]["prompt_tokens"]
        self.generation_tokens += response["usage"]["completion_tokens"]

    def exposition(self) -> str:
        """The counts in the Prometheus text format 0.0.4."""
        by_reason = {f',finished_reason="{reason}"': count for reason, count in self.success.items()}
        lines = []
        for name, kind, about, values in (
            ("num_requests_running", "gauge", "Requests being answered.", {"": self.running}),
            ("num_requests_waiting", "gauge", "Requests waiting for a slot.", {"": self.waiting}),
            ("kv_cache_usage_perc", "gauge", "There is no KV cache here.", {"": 0}),
            ("num_preemptions_total", "counter", "Nothing is ever preempted here.", {"": 0}),
            ("prompt_tokens_total", "counter", "Tokens of prompts.", {"": self.prompt_tokens}),
            ("generation_tokens_total", "counter", "Tokens of answers.", {"": self.generation_tokens}),
            ("request_success_total", "counter", "Requests answered, by finish reason.", by_reason),
        ):
            lines += [f"# HELP vllm:{name} {about}", f"# TYPE vllm:{name} {kind}"]
            lines += [f"vllm:{name}{{{_LABELS}{more}}} {float(value)}" for more, value in values.items()]
        return "\n".join(lines) + "\n"
