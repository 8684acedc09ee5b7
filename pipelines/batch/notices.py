"""What each declined applicant is told, as text, for whoever sends it."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.policy.pack import ReasonSettings
from pipelines.scoring.reasons import notice
from pipelines.scoring.scorer import DECLINED


def notices_of(decisions: pa.Table, settings: ReasonSettings) -> pa.Table:
    """Return the notice of each declined decision: its ids, and the lines that the policy pack tells."""
    declined = decisions.filter(pc.equal(pc.cast(decisions["decision"], pa.string()), DECLINED))
    known: dict[tuple[str, ...], str] = {}  # many are told the same
    texts = [_text(tuple(words or ()), settings, known) for words in declined["reasons"].to_pylist()]
    told = declined.select(["decision_id", "application_id", "customer_id"])
    return told.append_column("notice", pa.array(texts, pa.string()))


def _text(words: Sequence[str], settings: ReasonSettings, known: dict[tuple[str, ...], str]) -> str:
    key = tuple(words)
    if key not in known:
        known[key] = "\n".join(notice(key, settings))
    return known[key]
