"""The page about the data at the end of a run. A process of its own writes it, as a stage would."""

import signal
import subprocess
from collections.abc import Mapping

from pipeline.run.plan import RunPlan, environment, report_command
from telemetry.children import ends_with_parent


def write_report(plan: RunPlan, environ: Mapping[str, str]) -> str:
    """Returns where the page is, or why there is none: the results are on disk all the same."""
    done = subprocess.run(  # noqa: S603 - our own module
        report_command(plan), env=environment(plan.settings, environ), preexec_fn=ends_with_parent(signal.SIGKILL),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return f"{plan.output_dir / 'report.html'} (opens in a browser; its numbers are in report.json)"
    said = done.stderr.strip().splitlines()
    return f"could not be written: {said[-1] if said else f'exit code {done.returncode}'}"
