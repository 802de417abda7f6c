"""TLS, passwords and ACLs on a real broker that has them. What each process needs is `messaging.roles`."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from configs.errors import SettingsError
from configs.recipe import load_recipe
from configs.settings import Settings
from consumer.dataset.verify.verification import verify
from consumer.dead_letters.letters import LetterFilter
from consumer.dead_letters.replay import replay
from consumer.sink.service import run_sink
from consumer.worker.app import work
from messaging.access import AccessError
from messaging.connection import BrokerUnreachableError
from messaging.roles import Need, Role, needs
from messaging.topics import cluster_id, ensure_topics
from output.layout import Layout
from output.manifest import claim
from pipeline.status.members import look_at_members
from producer.alarm import Alarm
from producer.app import run as run_producer
from producer.publishing.asking import send
from schemas import Request, Status, TopicNames
from schemas.ids import request_id
from schemas.messages import now
from tests.support.kafka_tools import tool
from tests.support.outcomes import make_chunk_of, make_document, make_entry, make_letter, make_result, publish
from tests.support.secure_kafka import PLAIN_USERS, grant, make_users
from tests.support.settings import changed
from tools.rights import PAGE

NAMES = TopicNames("denied")
PASSWORD = "password-of-all"
Job = Callable[[Settings, Path], Awaitable[object]]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_user_is_let_in_with_its_password_and_only_with_it(secure_kafka, mechanism):
    user, password = next(iter(PLAIN_USERS.items()))
    assert await cluster_id(secure_kafka.as_user(user, password, sasl_mechanism=mechanism).kafka)
    with pytest.raises(AccessError, match=f"refuses user {user}") as caught:
        await cluster_id(secure_kafka.as_user(user, "wrong-canary", sasl_mechanism=mechanism).kafka)
    assert "wrong-canary" not in str(caught.value)


async def test_a_client_certificate_is_enough_where_the_broker_takes_it(secure_kafka):
    tls = {"bootstrap_servers": secure_kafka.mtls, "security_protocol": "SSL", "ssl_cafile": secure_kafka.ca}
    assert await cluster_id(secure_kafka.as_admin(**tls, ssl_certfile=secure_kafka.client).kafka)
    with pytest.raises(SettingsError, match=r"ca\.pem"):
        await cluster_id(secure_kafka.as_admin(**tls, ssl_certfile=secure_kafka.ca).kafka)


async def test_an_untrusted_certificate_ends_at_once_and_a_listener_without_tls_is_explained(secure_kafka):
    user, password = next(iter(PLAIN_USERS.items()))
    with pytest.raises(AccessError, match=r"is not trusted.*ssl_cafile"):
        await cluster_id(secure_kafka.as_user(user, password, ssl_cafile=None).kafka)
    with pytest.raises(BrokerUnreachableError, match="answers over SASL_SSL"):
        await cluster_id(
            secure_kafka.as_user(user, password, bootstrap_servers=secure_kafka.anonymous).kafka, patience_s=0
        )


async def test_topics_are_never_made_by_asking_for_them(secure_kafka):
    """This broker makes each topic that a client with the right to asks for."""
    settings = secure_kafka.as_admin(namespace="asked", partitions=2)
    assert set((await ensure_topics(settings.kafka)).values()) == {2}


async def test_the_documented_commands_grant_what_they_say(secure_kafka):
    commands = re.findall(r"^    kafka-acls.sh (.* User:qa-setup .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == len(needs(Role.SETUP, TopicNames()))
    await make_users(secure_kafka, {"qa-setup": PASSWORD})
    start = [*tool("org.apache.kafka.tools.AclCommand"), "--bootstrap-server", secure_kafka.anonymous]
    processes = [await asyncio.create_subprocess_exec(*start, *command.split()) for command in commands]
    assert [await process.wait() for process in processes] == [0] * len(commands)
    assert await ensure_topics(secure_kafka.as_user("qa-setup", PASSWORD, partitions=1).kafka)


async def a_producer(settings: Settings, folder: Path) -> None:
    (folder / "in").mkdir()
    settings = changed(settings, input_dir=folder / "in", source=folder.name)
    await run_producer(settings, Alarm(), once=True)
    document = make_document("none.md", source=folder.name)
    asked = Request(request_id=request_id(document.id, 1), action="forget", document=document, created_at=now())
    await send(settings.kafka, [asked])


async def a_paced_producer(settings: Settings, folder: Path) -> None:
    await a_producer(changed(settings, max_backlog=1), folder)


async def a_worker(settings: Settings, folder: Path) -> None:
    await work(changed(settings, cache=False), load_recipe("fast"), asyncio.Event())


async def a_sink(settings: Settings, folder: Path) -> None:
    await run_sink(settings, Layout(folder), asyncio.Event())


async def some_tools(settings: Settings, folder: Path) -> None:
    layout = Layout(folder)
    layout.make()
    await look_at_members(settings.kafka)
    claim(layout.manifest, cluster_id=await cluster_id(settings.kafka), namespace=settings.kafka.namespace)
    await verify(settings.kafka, settings.producer, layout, settings.sink.formats)
    await replay(settings.kafka, LetterFilter(), dry_run=False)


async def a_setup(settings: Settings, folder: Path) -> None:
    await ensure_topics(settings.kafka.replaced(namespace=f"{settings.kafka.namespace}.new"))


JOBS: dict[Role, Job] = {
    Role.PRODUCER: a_producer,
    Role.PACED_PRODUCER: a_paced_producer,
    Role.WORKER: a_worker,
    Role.SINK: a_sink,
    Role.TOOLS: some_tools,
    Role.SETUP: a_setup,
}


def users(role: Role) -> dict[str, Need]:
    """One for each right that is taken away; what the plain producer needs as well is tested with that."""
    known = needs(Role.PRODUCER, NAMES) if role is Role.PACED_PRODUCER else []
    return {f"{role.name.lower()}-{n}": need for n, need in enumerate(needs(role, NAMES)) if need not in known}


@pytest.fixture(scope="module")
def denied(secure_kafka):
    """Users of all roles, each with one right too few."""
    everyone = {name: (role, lacking) for role in Role for name, lacking in users(role).items()}
    failed = make_result(make_document("failed.md"), status=Status.FAILED)
    rejected = make_letter(failed, offset=1).model_copy(update={"kind": "file"})
    admin = secure_kafka.as_admin(namespace=NAMES.namespace, partitions=1)
    letters = (make_letter(failed, offset=0), rejected)
    publish(admin, failed, *letters, make_chunk_of(failed), make_entry(failed.document, 1))
    asyncio.run(make_users(secure_kafka, dict.fromkeys(everyone, PASSWORD)))
    for name, (role, lacking) in everyone.items():
        asyncio.run(grant(secure_kafka, name, [need for need in needs(role, NAMES) if need != lacking]))
    return secure_kafka


@pytest.mark.parametrize("role", JOBS)
async def test_with_one_right_less_a_process_ends_and_names_it(denied, role, tmp_path):
    at_once = asyncio.Semaphore(1 if role is Role.TOOLS else 16)  # one replay at a time: another would fence it

    async def attempt(user: str) -> str:
        folder = tmp_path / user
        folder.mkdir()
        settings = denied.as_user(user, PASSWORD, namespace=NAMES.namespace, partitions=1)
        with pytest.raises(AccessError) as caught:
            async with at_once:
                await asyncio.wait_for(JOBS[role](settings, folder), 60)
        return str(caught.value)

    lacking = users(role)
    said = dict(zip(lacking, await asyncio.gather(*map(attempt, lacking)), strict=True))
    for user, need in lacking.items():
        refused = rf"Kafka does not allow user {user} to {need.operation} [a-z ]*{re.escape(need.name)}"
        assert re.match(refused, said[user])
        assert "\n" not in said[user]
