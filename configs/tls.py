"""TLS contexts of clients: trusted authorities, and the client's own certificate."""

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
    """Make a context that checks certificates and host names, against `cafile` or else the system's authorities.

    `setting` is the name of the setting with `cafile`, for messages. Raises SettingsError for unusable files.
    """
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as exc:
        raise SettingsError(f"{setting}: {cafile}: {exc.strerror}. Name a PEM file of certificates") from exc
    if certfile is not None:
        password = key_password.get_secret_value() if key_password else ""  # or the library asks on the terminal
        try:
            context.load_cert_chain(certfile, keyfile, password)
        except OSError as exc:  # ssl.SSLError is one
            names = " and ".join(str(path) for path in (certfile, keyfile) if path)
            raise SettingsError(
                f"ssl_certfile, ssl_keyfile: {names}: {exc.strerror}. "
                "Name PEM files of a certificate and its key; the key's password is ssl_key_password"
            ) from exc
    return context
