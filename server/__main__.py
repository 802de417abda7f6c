"""`python -m server` starts vLLM, or runs one of the commands check, embedded and broker."""

import sys
from importlib import import_module

from configs.cli import run

# A module is imported only when it is asked for: the broker needs no web server, the check no Kafka client.
COMMANDS = {"check": "server.check", "embedded": "server.embedded.app", "broker": "server.broker.node"}
LAUNCHER = "server.vllm.launcher"


def main() -> int:
    name, *rest = sys.argv[1:] or [""]
    module = COMMANDS.get(name)
    arguments = sys.argv[1:] if module is None else rest
    code: int = import_module(module or LAUNCHER).main(arguments)
    return code


if __name__ == "__main__":
    run(main)
