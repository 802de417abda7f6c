"""Options that identify us to Kafka, and the errors that a user reads when Kafka refuses us.

KafkaError and OSError become AccessError where trying again can't help. `messaging.roles` has the rights of each role.
"""

import ssl
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from aiokafka import errors
from aiokafka.errors import KafkaError

from configs.errors import QAStreamError
from configs.sections import KafkaSettings
from configs.tls import client_context
from messaging.client_internals import failed_connections

PROBE_MS = 10_000
_AUTHENTICATION = (
    errors.AuthenticationFailedError, errors.IllegalSaslStateError, errors.SaslAuthenticationFailed,
    errors.UnsupportedSaslMechanismError,
)  # fmt: skip
AUTHORIZATION = (
    errors.ClusterAuthorizationFailedError, errors.GroupAuthorizationFailedError,
    errors.TopicAuthorizationFailedError, errors.TransactionalIdAuthorizationFailed,
)  # fmt: skip
TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
"""Errors of a topic whose `max.message.bytes` is less than a batch. Only smaller records help."""


class AccessError(QAStreamError):
    """Kafka does not let us in, or does not allow an operation."""


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Return the options of every kind of Kafka client. Raises SettingsError for files that can't be used."""
    protocol = kafka.security_protocol
    options: dict[str, Any] = {"bootstrap_servers": kafka.brokers.split(","), "security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = client_context(
            kafka.ssl_cafile, setting="ssl_cafile",
            certfile=kafka.ssl_certfile, keyfile=kafka.ssl_keyfile, key_password=kafka.ssl_key_password,
        )  # fmt: skip
    if kafka.sasl_password is not None:
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": kafka.sasl_password.get_secret_value(),
        }
    return options


def who(kafka: KafkaSettings) -> str:
    return f"user {kafka.sasl_username}" if kafka.sasl_username else "this client"


def denial(kafka: KafkaSettings, operation: str, resource: str) -> AccessError:
    return AccessError(
        f"Kafka does not allow {who(kafka)} to {operation} {resource}. Grant it (docs/security.md has the commands "
        "for each process), or use another user"
    )


@contextmanager
def explained(kafka: KafkaSettings, operation: str) -> Iterator[None]:
    """Raise AccessError where the broker refuses the client while it does `operation` on topics."""
    try:
        yield
    except AUTHORIZATION as exc:
        raise from_refusal(kafka, exc, operation) from exc


def from_refusal(kafka: KafkaSettings, exc: KafkaError, operation: str) -> AccessError:
    """Make an AccessError. The client's error names topics or an id, but not the `operation` on them."""
    named = exc.args[0] if exc.args else ""
    name = ", ".join(sorted(named)) if isinstance(named, set | frozenset) else str(named)
    match exc:
        case errors.GroupAuthorizationFailedError():
            return denial(kafka, "READ", f"group {name}")
        case errors.TransactionalIdAuthorizationFailed():
            return denial(kafka, "WRITE", f"transactional id {name}")
        case errors.ClusterAuthorizationFailedError():
            return denial(kafka, operation, "the cluster")
        case _:
            return denial(kafka, operation, f"topic {name}")


async def refusal(kafka: KafkaSettings) -> AccessError | None:
    """Return why a broker refuses our certificate or password, which the client only logs; None if none does."""
    if kafka.security_protocol == "PLAINTEXT":
        return None
    async with aclosing(failed_connections(timeout_ms=PROBE_MS, **client_options(kafka))) as failed:
        async for where, exc in failed:
            if error := _from_connecting(kafka, exc, where):
                return error
    return None


def _from_connecting(kafka: KafkaSettings, exc: Exception, where: str) -> AccessError | None:
    match exc:
        case errors.UnsupportedSaslMechanismError():
            return AccessError(f"Kafka at {where} does not take sasl_mechanism {kafka.sasl_mechanism}")
        case _ if isinstance(exc, _AUTHENTICATION):
            return AccessError(
                f"Kafka at {where} refuses {who(kafka)}: is the password right, and sasl_mechanism "
                f"{kafka.sasl_mechanism} the one that the user was made for?"
            )
        case ssl.SSLCertVerificationError():
            return AccessError(
                f"the certificate of Kafka at {where} is not trusted: {exc.verify_message}. "
                "Name its authority with ssl_cafile, and the broker as its certificate does"
            )
        case _:
            return None
