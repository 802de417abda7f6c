"""Runs `python -m server check` under the guide's name."""

import sys

from configs.cli import run
from server.check import main

if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
