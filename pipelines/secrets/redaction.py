"""Replaces passwords in texts that people and records see."""

import re
from collections.abc import Callable

STARS = "***"

KEY = r"(?:\w+_)?(?:password|passwd|pwd|passphrase|secret|token|api_?key|access_?key|private_?key|credentials?)"
"""The name of a setting, or of a parameter of an address, that holds a secret."""

_OF_ADDRESS = re.compile(r"(://[^:/@\s'\"]*:)(?!\$\{)([^@\s'\"]+)@")
_OF_PARAMETER = re.compile(rf"(\b{KEY}\s?=\s?)(?!\$\{{|\*\*\*)('[^']*'|\"[^\"]*\"|[^&;,\s'\"]+)", re.IGNORECASE)
_SECRET_KEY = re.compile(KEY, re.IGNORECASE)

_OF_SPARK = re.compile(r"[+~]*(?:table\.)?spark\.conf\..*(?:secret|password|token|access\.?key)", re.IGNORECASE)
"""Spark's settings that hold a secret, as Spark's own `spark.redaction.regex` finds them."""

OPEN_MAPPINGS = ("data", "raw.tables", "table", "policy.reasons.wording")
"""Settings below which names are those of columns; `data.meanings.token` is no secret."""


def redacted(text: str) -> str:
    """Return a text with stars for the passwords of addresses and of parameters such as password=...

    >>> redacted("postgresql://anna:secret@host/scores?connect_timeout=5")
    'postgresql://anna:***@host/scores?connect_timeout=5'
    >>> redacted("https://host/hook?api_key=abc&month=2026-10"), redacted("host=db password=abc user=anna")
    ('https://host/hook?api_key=***&month=2026-10', 'host=db password=*** user=anna')
    """
    return replace_passwords(text, lambda _: STARS)


def replace_passwords(text: str, replacement: Callable[[str], str]) -> str:
    """Return a text with each password of an address or a parameter replaced; interpolations stay."""
    if "://" in text:
        text = _OF_ADDRESS.sub(lambda match: f"{match[1]}{replacement(match[2])}@", text)
    return _OF_PARAMETER.sub(lambda match: match[1] + replacement(match[2]), text) if "=" in text else text


def redacted_override(word: str) -> str:
    """Return an override with stars for its value where its key is that of a secret, or for a password in its value.

    >>> redacted_override("hydra.job.env_set.DB_PASSWORD=abc"), redacted_override("data.label=late")
    ('hydra.job.env_set.DB_PASSWORD=***', 'data.label=late')
    """
    key, mark, value = word.partition("=")
    is_hidden = mark and value and is_secret_key(key) and not value.startswith("${")
    return f"{key}={STARS}" if is_hidden else key + mark + redacted(value)


def is_secret_key(key: str) -> bool:
    """Return whether a setting of this key holds a secret.

    >>> [is_secret_key(key) for key in ("alarms.webhook.token", "alarms.webhook.secret_from", "data.meanings.token")]
    [True, False, False]
    >>> [is_secret_key(f"spark.conf.spark.{key}") for key in ("hadoop.fs.s3a.secret.key", "executor.memory")]
    [True, False]
    """
    if _OF_SPARK.match(key):
        return True
    parent, _, last = key.lstrip("+~").rpartition(".")
    below = any(parent == one or parent.startswith(f"{one}.") for one in OPEN_MAPPINGS)
    return bool(_SECRET_KEY.fullmatch(last)) and not (below and "." in parent)
