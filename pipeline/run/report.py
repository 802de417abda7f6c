"""The page about the data at the end of a run: written by a process of its own, as all that the stages do."""

import signal
import subprocess
from collections.abc import Mapping

from pipeline.run.plan import Plan, environment, report_command
from telemetry.children import ends_with_parent


def write_report(plan: Plan, environ: Mapping[str, str]) -> str:
    """Where it is; or why there is none: the results are there all the same."""
    done = subprocess.run(  # noqa: S603 - our own module
        report_command(plan),
        env=environment(plan.settings.given(), environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        preexec_fn=ends_with_parent(signal.SIGKILL),
    )
    if done.returncode == 0:
        return f"{plan.output_dir / 'report.html'} (opens in a browser; its numbers are in report.json)"
    said = done.stderr.strip().splitlines()
    return f"could not be written: {said[-1] if said else f'exit code {done.returncode}'}"
