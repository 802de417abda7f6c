"""Every process as its own user, with its own rights only; secrets and texts that must not show anywhere."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from chaos.fake_model import FakeModel, text_of
from messaging.roles import Role, needs
from messaging.topics import ensure_topics
from schemas import TopicNames
from tests.support.secure_kafka import grant, make_users

ROOT = Path(__file__).resolve().parents[1]
NAMESPACE = "canary"
NAMES = TopicNames(NAMESPACE)
TEXT = "Textcanary says that a transistor has three terminals."
BAD = "Textcanary says what no model likes to be asked about."
KEY, REDIS, KEY_PASSWORD = "apikeycanary", "rediscanary", "keypasswordcanary"
CANARIES = ("canary-of-", KEY, REDIS, KEY_PASSWORD)
MECHANISMS = {Role.PRODUCER: "SCRAM-SHA-512", Role.SINK: "SCRAM-SHA-256"}


@dataclass(slots=True)
class Processes:
    """Starts QAStream's commands as their users; keeps all that they say, and their arguments."""

    common: dict[str, str]
    folder: Path
    said: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    async def start(self, role: Role, *command: object, **more: str) -> asyncio.subprocess.Process:
        password = self.folder / f"{role.name}.password"
        password.write_text(f"canary-of-{role.name}\n")
        who = {
            "QASTREAM_SASL_USERNAME": f"canary-{role.name}",
            "QASTREAM_SASL_PASSWORD_FILE": str(password),
            "QASTREAM_SASL_MECHANISM": MECHANISMS.get(role, "SCRAM-SHA-512"),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *map(str, command), cwd=ROOT, env={**os.environ, **self.common, **who, **more},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self.arguments.append(Path(f"/proc/{process.pid}/cmdline").read_text())
        return process

    async def stop(self, process: asyncio.subprocess.Process) -> int:
        process.terminate()
        self.said.append((await asyncio.wait_for(process.communicate(), 60))[0].decode())
        return process.returncode

    async def run(self, role: Role, *command: object, **more: str) -> tuple[int, str]:
        process = await self.start(role, *command, **more)
        said = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
        self.said.append(said)
        return process.returncode, said


@pytest.fixture
async def model(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "model-ca.pem")

    async def repeats_the_prompt(request: web.Request, body: dict[str, Any]) -> web.Response | None:
        if text_of(body) != BAD:
            return None
        return web.json_response({"error": {"message": f"can't answer: {BAD}", "type": "BadRequest"}}, status=400)

    async with FakeModel(repeats_the_prompt, tls=authority, api_key=KEY).serve() as server:
        yield server


@pytest.fixture
async def processes(secure_kafka, model, tmp_path):
    """Users with the rights of their roles, and one environment with all the settings."""
    roles = [role for role in Role if role is not Role.PACED_PRODUCER]
    await make_users(secure_kafka, {f"canary-{role.name}": f"canary-of-{role.name}" for role in roles})
    for role in roles:
        await grant(secure_kafka, f"canary-{role.name}", needs(role, NAMES))
    api_key = tmp_path / "api-key"
    api_key.write_text(KEY)
    return Processes(
        {
            "KAFKA_BOOTSTRAP_SERVERS": secure_kafka.secure,
            "QASTREAM_NAMESPACE": NAMESPACE,
            "QASTREAM_PARTITIONS": "2",
            "QASTREAM_SECURITY_PROTOCOL": "SASL_SSL",
            "QASTREAM_SSL_CAFILE": str(secure_kafka.ca),
            "QASTREAM_SSL_CERTFILE": str(encrypted(secure_kafka.client, tmp_path / "client.pem")),
            "QASTREAM_SSL_KEY_PASSWORD": KEY_PASSWORD,
            "VLLM_SERVER_URL": model.url,
            "VLLM_API_KEY_FILE": str(api_key),
            "QASTREAM_MODEL_CA_FILE": str(tmp_path / "model-ca.pem"),
            "QASTREAM_CACHE_URL": f"redis://:{REDIS}@127.0.0.1:1/0",
            "QASTREAM_LOG_LEVEL": "debug",
            "QASTREAM_OUTPUT_DIR": str(tmp_path / "out"),
        },
        tmp_path,
    )


def encrypted(pem: Path, copy: Path) -> Path:
    key = load_pem_private_key(pem.read_bytes(), password=None)
    kept = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(KEY_PASSWORD.encode()))
    copy.write_bytes(kept + pem.read_bytes().partition(b"-----END PRIVATE KEY-----\n")[2])
    return copy


def results(output: Path) -> list[dict[str, Any]]:
    segments = (output / "results").glob("*.jsonl")
    return [orjson.loads(line) for segment in segments for line in segment.read_bytes().splitlines()]


async def until(condition: Any, *, within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.05)


async def test_each_process_works_with_its_own_rights_and_no_secret_shows(secure_kafka, processes, tmp_path):
    texts, output = tmp_path / "in", tmp_path / "out"
    texts.mkdir()
    (texts / "good.md").write_text(TEXT)
    (texts / "bad\x1b[31m\n.md").write_text(BAD)
    (texts / "broken.md").write_bytes(TEXT.encode() + b"\xff\xff\x00")

    admin = secure_kafka.as_user("canary-SETUP", "canary-of-SETUP", namespace=NAMESPACE, partitions=2)
    await ensure_topics(admin.kafka, role=Role.SETUP)
    worker = await processes.start(Role.WORKER, "consumer")
    sink = await processes.start(Role.SINK, "consumer", "sink")
    code, said = await processes.run(Role.PRODUCER, "producer", "--once", "--input-dir", texts)
    assert code == 3, said
    await until(lambda: len(results(output)) == 2 or worker.returncode is not None or sink.returncode is not None)
    assert [await processes.stop(process) for process in (worker, sink)] == [0, 0], processes.said
    verified, listed, shown = await asyncio.gather(
        processes.run(Role.TOOLS, "consumer", "verify"),
        processes.run(Role.TOOLS, "consumer", "dead-letters", "list", "--json"),
        processes.run(Role.TOOLS, "pipeline", "status"),
    )
    assert (verified[0], listed[0], shown[0]) == (3, 0, 0), processes.said
    letters = [orjson.loads(line) for line in listed[1].splitlines() if line.startswith('{"schema')]
    assert sorted(letter["kind"] for letter in letters) == ["chunk", "file"]
    for role, command, wrong, says in (
        (Role.WORKER, ("consumer",), {"VLLM_API_KEY": "canary-of-nobody", "VLLM_API_KEY_FILE": ""}, "the API key"),
        (Role.SINK, ("consumer", "sink"), {"QASTREAM_SASL_USERNAME": "canary-WORKER"}, "user canary-WORKER"),
    ):
        code, said = await processes.run(role, *command, **wrong)
        (line,) = (line for line in said.splitlines() if line.startswith("error:"))
        assert (code, f"refuses {says}" in line, "Traceback" in said) == (1, True, False), said

    assert {result["status"] for result in results(output)} == {"ok", "failed"}
    logged = "\n".join(processes.said)
    told = [letter["reason"] for letter in letters] + [str(result["error"]) for result in results(output)]
    for place in (logged, *told):
        assert "Textcanary" not in place
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", place)
    on_disk = "".join(path.read_text(errors="replace") for path in output.rglob("*") if path.is_file())
    for canary in CANARIES:
        assert all(canary not in place for place in (logged, on_disk, *told, *processes.arguments))
