"""The root of our errors. A program prints such an error in one line and ends with its `exit_code`."""


class QAStreamError(Exception):
    """Something failed. The message says what failed, where, and what to do."""

    exit_code = 1


class SettingsError(QAStreamError):
    """The command was used wrongly, or a setting can't be used."""

    exit_code = 2
