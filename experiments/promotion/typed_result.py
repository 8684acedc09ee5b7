"""What `promote` answers in Python."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.command.result import Result, optional_number

if TYPE_CHECKING:
    import pandas as pd

GATE_COLUMNS = ["gate", "answer", "blocking", "sentence", "bound"]


class PromoteResult(Result):
    """What `promote` answers; `frame` has the gates."""

    @property
    def decision(self) -> str | None:
        """The decision, such as promoted, requested or refused; None of actions that decide nothing."""
        decision = self.answer.get("decision")
        return None if decision is None else str(decision)

    @property
    def version(self) -> int | None:
        """The version that was judged."""
        return optional_number(self.answer.get("version"))

    @property
    def document(self) -> Path | None:
        """The model document of the version; None where the answer names none on this machine."""
        document = str(self.answer.get("document") or "")
        return Path(document) if document and "://" not in document else None

    @property
    def frame(self) -> "pd.DataFrame":
        """The gates: passed, failed or not measured, with the figure and the bound; empty where none judged."""
        import pandas as pd

        return pd.DataFrame(self.answer.get("evidence", {}).get("gates", []), columns=GATE_COLUMNS).set_index("gate")

    @property
    def groups(self) -> "pd.DataFrame":
        """The groups of the protected attributes on the test part, by attribute and level.

        `approval_rate` with its interval (low, high), `impact_ratio` to the group with the highest rate (ratio_low,
        ratio_high), and `expected_to_observed` defaults (eo_low, eo_high). `enough` is False where a group is too small
        to be judged. Empty without protected attributes.
        """
        import pandas as pd

        rows = pd.DataFrame(self.answer.get("evidence", {}).get("fairness", []))
        return rows.set_index(["attribute", "level"]) if len(rows) else rows
