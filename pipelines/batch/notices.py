"""The notice of each declined applicant, as text to send."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.policy.pack import ReasonSettings
from pipelines.scoring.reasons import notice
from pipelines.scoring.scorer import DECLINED


def notices_of(decisions: pa.Table, settings: ReasonSettings) -> pa.Table:
    """Return the notice of each declined decision: its ids, and the lines that the policy pack tells."""
    declined = decisions.filter(pc.equal(pc.cast(decisions["decision"], pa.string()), DECLINED))
    texts_by_reasons: dict[tuple[str, ...], str] = {}  # many are alike
    texts = [_text(tuple(words or ()), settings, texts_by_reasons) for words in declined["reasons"].to_pylist()]
    notices = declined.select(["decision_id", "application_id", "customer_id"])
    return notices.append_column("notice", pa.array(texts, pa.string()))


def _text(words: Sequence[str], settings: ReasonSettings, texts_by_reasons: dict[tuple[str, ...], str]) -> str:
    key = tuple(words)
    if key not in texts_by_reasons:
        texts_by_reasons[key] = "\n".join(notice(key, settings))
    return texts_by_reasons[key]
