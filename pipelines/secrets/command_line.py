"""Moves secrets from a command line, which every user of the machine can read, to the environment."""

import re
from collections.abc import Sequence

from pipelines.secrets.redaction import is_secret_key, replace_passwords

PREFIX = "THINFILE_SECRET_"


def without_secrets(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words of a command with ${oc.env:NAME} for each secret, and the variables that hold them.

    >>> without_secrets(["watch", "alarms.webhook.url=https://anna:abc@host/hook"])[0]
    ['watch', 'alarms.webhook.url=https://anna:${oc.env:THINFILE_SECRET_ALARMS_WEBHOOK_URL}@host/hook']
    """
    variables: dict[str, str] = {}

    def moved(key: str, secret: str) -> str:
        name = PREFIX + re.sub(r"\W+", "_", key.lstrip("+~")).upper()
        name += f"_{len(variables) + 1}" if name in variables else ""
        variables[name] = _unquoted(secret)
        return f"${{oc.env:{name}}}"

    def hidden(word: str) -> str:
        key, mark, value = word.partition("=")
        if not mark or not value or key.startswith("-"):
            return word
        if is_secret_key(key) and not value.startswith("${"):
            return key + mark + moved(key, value)
        return key + mark + replace_passwords(value, lambda secret: moved(key, secret))

    return [hidden(word) for word in words], variables


def warning(variables: Sequence[str]) -> str:
    """Return the advice for a command line with secrets."""
    names = " and ".join(variables)
    return (
        f"warning: a password on a command line is visible to other users; it was moved to the environment as {names}. "
        "Set a variable before the command and write KEY='${oc.env:NAME}'"
    )


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
