"""Parts that all command lines share: flags made from the settings, errors in one line, exit codes.

Exit codes: 0 done; 1 failed; 2 wrong usage or settings; 3 done, but there are dead letters.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from configs.errors import QAStreamError, SettingsError
from configs.settings import FIELDS, SECRETS, SECTIONS, Settings, environment_name, flag_name, load_settings

DEAD_LETTERS = 3


def _flags_of(section: str, *, but: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the settings of `section` that have a flag, without those named in `but`."""
    return tuple(name for name in SECTIONS[section].model_fields if name not in SECRETS and name not in but)


KAFKA = _flags_of("kafka")
"""Flags of commands that may create topics."""
REACH = _flags_of("kafka", but=("partitions", "replication_factor", "compression"))
"""Flags of commands that only read and write topics."""
MODEL = _flags_of("model") + _flags_of("judging")
WORKER = _flags_of("worker")
PRODUCER = _flags_of("producer", but=("input_dir",))
SINK = _flags_of("sink", but=("output_dir", "only_partitions"))
LOGS = ("log_level", "log_format")
TELEMETRY = _flags_of("telemetry")


def add_settings(parser: argparse.ArgumentParser, *fields: str) -> None:
    """Add `--config`, and a flag for each setting in `fields`. Secrets must not be among them."""
    assert not set(fields) & set(SECRETS)
    parser.add_argument(
        "--config", metavar="FILE", help="JSON settings file, looked up in the working directory, then in configs/"
    )
    for name in fields:
        field = FIELDS[name]
        text = f"{field.description} [{environment_name(name)}]"
        if field.annotation is bool:
            parser.add_argument(
                flag_name(name), dest=name, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        else:
            shown = "" if field.default in (None, "", ()) else f" (default {_show(field.default)})"
            text = (text + shown).replace("%", "%%")
            parser.add_argument(flag_name(name), dest=name, metavar=_metavar(field.annotation), help=text)


def _metavar(annotation: Any) -> str:
    return "|".join(get_args(annotation)) if get_origin(annotation) is Literal else "VALUE"


def _show(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def settings_from(args: argparse.Namespace, **more: Any) -> Settings:
    """Load the settings, with the flags of `add_settings`; `more` replaces flags. Raises SettingsError."""
    flags = {name: getattr(args, name, None) for name in FIELDS}
    return load_settings(flags | more, config=args.config)


def _refuse_optimized() -> None:
    if sys.flags.optimize:
        raise SettingsError(
            "Python runs with -O, which removes checks that the Kafka client relies on. Unset PYTHONOPTIMIZE"
        )


def run(main: Callable[[], int]) -> None:
    """Call `main` and exit with its code. A user's mistake is one line on stderr, never a traceback."""
    try:
        _refuse_optimized()
        code = main()
    except QAStreamError as exc:
        print(f"error: {exc}", file=sys.stderr)
        code = exc.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = 130
    except BrokenPipeError:  # the reader of our output, for example `head`, has closed it
        sys.stderr.close()
        code = 1
    sys.exit(code)


def printable(text: str) -> str:
    """Replace control characters, so that text from files and records can't control the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
