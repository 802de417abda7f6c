"""The guide's name for `python -m server check`."""

import sys

from configs.cli import run
from server.check import main

if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
