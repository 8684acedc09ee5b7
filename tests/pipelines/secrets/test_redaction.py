"""Passwords are replaced by key and by address; what only looks like one stays."""

import pytest

from pipelines.secrets.redaction import redacted, redacted_override


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://anna:s3cret@host/db", "postgresql://anna:***@host/db"),
        (
            "cannot open 'postgresql+psycopg://anna:p%40ss/w@host:5/db'",
            "cannot open 'postgresql+psycopg://anna:***@host:5/db'",
        ),
        ("http://:s3cret@host and https://b:other@host", "http://:***@host and https://b:***@host"),
        ("https://host/hook?token=s3cret&a=1#x", "https://host/hook?token=***&a=1#x"),
        ("https://host/hook?a=1&API_KEY=s3cret", "https://host/hook?a=1&API_KEY=***"),
        ("host=db password='s3 cret' user=anna", "host=db password=*** user=anna"),
        ("DB_PASSWORD=s3cret", "DB_PASSWORD=***"),
    ],
)
def test_passwords_are_stars(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "open https://host:8443/reports/2026-10.html",
        "sqlite:////tmp/a b/mlflow.db",
        "https://anna:${oc.env:HOOK}@host",
        "write alarms.webhook.secret_from=null to send unsigned",
        "token_count >= 3",
        "anna@example.com",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("hydra.job.env_set.DB_PASSWORD=s3cret", "hydra.job.env_set.DB_PASSWORD=***"),
        ("+alarms.webhook.token='s3 cret'", "+alarms.webhook.token=***"),
        ("alarms.webhook.url=https://a:s3cret@host/x", "alarms.webhook.url=https://a:***@host/x"),
        ("alarms.webhook.secret_from=HOOK", "alarms.webhook.secret_from=HOOK"),
        ("alarms.webhook.token=${oc.env:HOOK}", "alarms.webhook.token=${oc.env:HOOK}"),
        ("data.directions={token: safer}", "data.directions={token: safer}"),
        ("data.meanings.token=count", "data.meanings.token=count"),
        ("key=/home/anna/.ssh/id_ed25519", "key=/home/anna/.ssh/id_ed25519"),
        ("tune", "tune"),
    ],
)
def test_overrides_are_redacted_by_key_and_by_address(word: str, shown: str) -> None:
    assert redacted_override(word) == shown
