"""Runs `python -m server` under the guide's name."""

import sys

try:
    from configs.cli import run
    from server.vllm.launcher import main
except ModuleNotFoundError as exc:
    sys.exit(f"error: {exc.name} is not installed for {sys.executable}: `make setup`, then use .venv/bin/python")

if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
