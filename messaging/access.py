"""Who we are to Kafka, and what it says when it does not let us.

KafkaError and OSError become AccessError where trying again can't help. What a role needs is in `messaging.roles`.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from configs.errors import QAStreamError
from configs.sections import KafkaSettings
from configs.tls import client_context
from messaging.client_internals import broker_addresses, try_connection

PROBE_MS = 10_000
_AUTHENTICATION = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
AUTHORIZATION = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)


class AccessError(QAStreamError):
    """Kafka does not let us in, or does not let us do it."""


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """What every Kafka client is made with, whatever its kind. Raises SettingsError for unusable files."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.brokers.split(","),
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = client_context(
            settings.ssl_cafile,
            setting="ssl_cafile",
            certfile=settings.ssl_certfile,
            keyfile=settings.ssl_keyfile,
            key_password=settings.ssl_key_password,
        )
    if settings.sasl_password is not None:
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return options


def who(settings: KafkaSettings) -> str:
    return f"user {settings.sasl_username}" if settings.sasl_username else "this client"


def denial(settings: KafkaSettings, operation: str, resource: str) -> AccessError:
    return AccessError(
        f"Kafka does not allow {who(settings)} to {operation} {resource}. Grant it (docs/security.md has the commands "
        "for each process), or use another user"
    )


@contextmanager
def explained(settings: KafkaSettings, operation: str) -> Iterator[None]:
    """Raises AccessError for what the client was refused while it did `operation` on topics."""
    try:
        yield
    except AUTHORIZATION as exc:
        raise from_refusal(settings, exc, operation) from exc


def from_refusal(settings: KafkaSettings, exc: KafkaError, operation: str) -> AccessError:
    """`operation` is on topics: the client's error has their names, or an id, and not what it wanted."""
    name = _names(exc.args[0]) if exc.args else ""
    match exc:
        case GroupAuthorizationFailedError():
            return denial(settings, "READ", f"group {name}")
        case TransactionalIdAuthorizationFailed():
            return denial(settings, "WRITE", f"transactional id {name}")
        case ClusterAuthorizationFailedError():
            return denial(settings, operation, "the cluster")
        case _:
            return denial(settings, operation, f"topic {name}")


def _names(argument: object) -> str:
    return ", ".join(sorted(argument)) if isinstance(argument, set | frozenset) else str(argument)


async def refusal(settings: KafkaSettings) -> AccessError | None:
    """Why a broker turns us away, if it does: the client logs that and keeps the error to itself.

    None where none answers, or all is well; with no TLS and no password there is nothing to refuse.
    """
    if settings.security_protocol == "PLAINTEXT":
        return None
    options = client_options(settings)
    for host, port in broker_addresses(options.pop("bootstrap_servers")):
        try:
            await try_connection(host, port, timeout_ms=PROBE_MS, **options)
        except (KafkaError, OSError, TimeoutError) as exc:
            if error := _from_connecting(settings, exc, f"{host}:{port}"):
                return error
    return None


def _from_connecting(settings: KafkaSettings, exc: Exception, where: str) -> AccessError | None:
    match exc:
        case UnsupportedSaslMechanismError():
            return AccessError(f"Kafka at {where} does not take sasl_mechanism {settings.sasl_mechanism}")
        case _ if isinstance(exc, _AUTHENTICATION):
            return AccessError(
                f"Kafka at {where} refuses {who(settings)}: is the password right, and sasl_mechanism "
                f"{settings.sasl_mechanism} the one that the user was made for?"
            )
        case ssl.SSLCertVerificationError():
            return AccessError(
                f"the certificate of Kafka at {where} is not trusted: {exc.verify_message}. "
                "Name its authority with ssl_cafile, and the broker as its certificate does"
            )
        case _:
            return None
