"""Errors that a user can cause and mend; programs print them in one line and end with `exit_code`."""


class QAStreamError(Exception):
    """Something failed; the message says what, where, and what to do."""

    exit_code = 1


class SettingsError(QAStreamError):
    """Wrong usage, or a setting that can't be used."""

    exit_code = 2
