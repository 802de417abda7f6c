"""The command of the vLLM guide: `python -m pipeline --once` under its name there."""

import sys

from configs import cli
from pipeline.__main__ import main

if __name__ == "__main__":
    cli.run(lambda: main(["--once", *sys.argv[1:]]))
