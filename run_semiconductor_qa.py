"""Runs `python -m pipeline --once` under the guide's name."""

import sys

try:
    from configs import cli
    from pipeline.__main__ import main
except ModuleNotFoundError as exc:
    sys.exit(f"error: {exc.name} is not installed for {sys.executable}: `make setup`, then use .venv/bin/python")

if __name__ == "__main__":
    cli.run(lambda: main(["--once", *sys.argv[1:]]))
