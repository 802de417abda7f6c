"""A real broker with TLS, passwords and an authorizer, its users and their ACLs.

Besides the listener without a password, whose anonymous user may do everything and is the tests' administrator, it has
SECURE (TLS, PLAIN and SCRAM) and MTLS (TLS, client certificates). It would make topics by itself if it were asked to.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import trustme
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from configs.settings import Settings, load_settings
from messaging.connection import admin_client
from messaging.roles import Need
from server.broker.node import Broker
from server.ports import free_port

PLAIN_USERS = {"plain-user": "plain-password-canary"}
ITERATIONS = 4096
ALLOW = 3  # of org.apache.kafka.common.acl.AclPermissionType


@dataclass(frozen=True, slots=True)
class SecureKafka:
    """Addresses of its listeners, and the files of its clients."""

    anonymous: str
    secure: str
    mtls: str
    ca: Path
    client: Path

    def as_admin(self, **more: object) -> Settings:
        return load_settings({"bootstrap_servers": self.anonymous, **more})

    def as_user(self, user: str, password: str, **more: object) -> Settings:
        return load_settings(
            {
                "bootstrap_servers": self.secure,
                "security_protocol": "SASL_SSL",
                "sasl_username": user,
                "sasl_password": password,
                "ssl_cafile": self.ca,
                **more,
            }
        )


@contextmanager
def secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    _keystore(authority.issue_cert("127.0.0.1", "localhost"), folder / "broker.pem")
    _keystore(authority.issue_cert("client.example", common_name="mtls-user"), folder / "client.pem")
    secure, mtls = free_port("127.0.0.1"), free_port("127.0.0.1")
    properties = _properties(folder, secure=secure, mtls=mtls)
    with Broker(data_dir=folder / "broker", properties=properties) as broker:
        yield SecureKafka(
            broker.bootstrap_servers,
            f"127.0.0.1:{secure}",
            f"127.0.0.1:{mtls}",
            folder / "ca.pem",
            folder / "client.pem",
        )


def _properties(folder: Path, *, secure: int, mtls: int) -> dict[str, str | int]:
    listeners = f"SECURE://127.0.0.1:{secure},MTLS://127.0.0.1:{mtls}"
    passwords = " ".join(f'user_{name}="{password}"' for name, password in PLAIN_USERS.items())
    login = "org.apache.kafka.common.security"
    return {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "SECURE:SASL_SSL,MTLS:SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(folder / "ca.pem"),
        "listener.name.mtls.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]+).*$/$1/,DEFAULT",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.secure.plain.sasl.jaas.config": f"{login}.plain.PlainLoginModule required {passwords};",
        "listener.name.secure.scram-sha-256.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "listener.name.secure.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "auto.create.topics.enable": "true",
    }


def _keystore(certificate: trustme.LeafCert, path: Path) -> None:
    """Key and chain in one PEM file; Kafka takes keys as PKCS #8 only."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + b"".join(blob.bytes() for blob in certificate.cert_chain_pems))


class _AclsResponse(Response):
    API_KEY, API_VERSION = 30, 1
    SCHEMA = Schema(("throttle_ms", Int32), ("results", Array(("code", Int16), ("message", String()))))


class _AclsRequest(RequestStruct):
    API_KEY, API_VERSION, RESPONSE_TYPE = 30, 1, _AclsResponse
    SCHEMA = Schema(
        (
            "creations",
            Array(
                ("kind", Int8),
                ("name", String()),
                ("pattern", Int8),
                ("principal", String()),
                ("host", String()),
                ("operation", Int8),
                ("permission", Int8),
            ),
        )
    )


class CreateAcls(Request[_AclsRequest]):
    API_KEY: ClassVar[int] = 30
    KINDS: ClassVar = {"topic": 2, "group": 3, "transactional-id": 5}
    OPERATIONS: ClassVar = {"READ": 3, "WRITE": 4, "CREATE": 5, "DESCRIBE": 8}
    PATTERNS: ClassVar = {False: 3, True: 4}

    def __init__(self, user: str, needs: Sequence[Need]) -> None:
        self._creations = [
            (
                self.KINDS[need.kind],
                need.name,
                self.PATTERNS[need.prefix],
                f"User:{user}",
                "*",
                self.OPERATIONS[need.operation],
                ALLOW,
            )
            for need in needs
        ]

    def build(self, kind: type[_AclsRequest]) -> _AclsRequest:
        return kind(self._creations)


class _ScramResponse(Response):
    API_KEY, API_VERSION = 51, 0
    SCHEMA = Schema(
        ("throttle_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString()), ("code", Int16), ("message", CompactString()), ("tags", TaggedFields)
            ),
        ),
        ("tags", TaggedFields),
    )


class _ScramRequest(RequestStruct):
    API_KEY, API_VERSION, RESPONSE_TYPE, FLEXIBLE_VERSION = 51, 0, _ScramResponse, True
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString()), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString()),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScram(Request[_ScramRequest]):
    API_KEY: ClassVar[int] = 51
    MECHANISMS: ClassVar = {"SCRAM-SHA-256": (1, "sha256"), "SCRAM-SHA-512": (2, "sha512")}

    def __init__(self, passwords: dict[str, str], mechanism: str) -> None:
        number, digest = self.MECHANISMS[mechanism]
        self._upsertions = [self._upsertion(user, password, number, digest) for user, password in passwords.items()]

    def _upsertion(self, user: str, password: str, number: int, digest: str) -> tuple[object, ...]:
        salt = os.urandom(16)
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, ITERATIONS)
        return (user, number, ITERATIONS, salt, salted, {})

    def build(self, kind: type[_ScramRequest]) -> _ScramRequest:
        return kind([], self._upsertions, {})


async def make_users(kafka: SecureKafka, passwords: dict[str, str]) -> None:
    """With both kinds of SCRAM."""
    for mechanism in AlterScram.MECHANISMS:  # a request may name a user once
        await _ask(kafka, AlterScram(passwords, mechanism))


async def grant(kafka: SecureKafka, user: str, needs: Sequence[Need]) -> None:
    await _ask(kafka, CreateAcls(user, needs))


async def _ask(kafka: SecureKafka, request: object) -> None:
    async with admin_client(kafka.as_admin().kafka) as admin:
        response = (await admin._send_to_controller(request)).to_object()
    for result in response["results"]:
        assert result["code"] == 0, (for_code(result["code"]), result["message"])
