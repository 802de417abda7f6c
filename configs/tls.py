"""What a TLS client trusts, and who it says it is."""

import ssl
from pathlib import Path

from pydantic import SecretStr

from configs.errors import SettingsError


def client_context(
    cafile: Path | None,
    *,
    setting: str,
    certfile: Path | None = None,
    keyfile: Path | None = None,
    key_password: SecretStr | None = None,
) -> ssl.SSLContext:
    """Certificates and host names are always checked: against `cafile`, or what the system trusts.

    `setting` names the one that has `cafile`, for the message. Raises SettingsError for files that can't be used.
    """
    context = _trusting(cafile, setting)
    if certfile is not None:
        password = key_password.get_secret_value() if key_password is not None else ""  # never asks on the terminal
        try:
            context.load_cert_chain(certfile, keyfile, password)
        except OSError as exc:  # ssl.SSLError is one
            names = " and ".join(str(path) for path in (certfile, keyfile) if path)
            raise SettingsError(
                f"ssl_certfile, ssl_keyfile: {names}: {exc.strerror}. "
                "PEM files of a certificate and its key are taken, the key's password from ssl_key_password"
            ) from exc
    return context


def model_context(cafile: Path | None) -> ssl.SSLContext:
    """For the model server. Raises SettingsError."""
    return client_context(cafile, setting="model_ca_file")


def _trusting(cafile: Path | None, setting: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except OSError as exc:
        raise SettingsError(f"{setting}: {cafile}: {exc.strerror}. A PEM file of certificates is taken") from exc
