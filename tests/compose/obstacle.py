import os

from tests.support import docker_engine


def obstacle() -> str | None:
    """Why compose.yaml is not brought up; None where `make compose-test` asks for it."""
    if not os.environ.get("REQUIRE_COMPOSE"):
        return "they take minutes; make compose-test runs them"
    return docker_engine.obstacle()
