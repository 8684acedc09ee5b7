"""How old evidence may be: its time is that of its entry in the ledger, which the entry's hash covers."""

from datetime import UTC, datetime, timedelta

from pipelines.storage.chain import Entry

CLOCKS_DIFFER = timedelta(minutes=10)


def is_fresh(entry: Entry, days: int) -> bool:
    """Return whether a request or refusal was written in the last days, by the clock of the host that wrote it."""
    written, now = datetime.fromisoformat(entry.written_at), datetime.now(UTC)
    return now - timedelta(days=days) <= written <= now + CLOCKS_DIFFER
