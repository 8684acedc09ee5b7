"""What `score` answers in Python."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.command.result import Result
from pipelines.credit.points import band_labels
from pipelines.credit.population import Population
from pipelines.errors import RequestError
from pipelines.policy.offers import Offer, offer_of
from pipelines.policy.stored_policies import kept_policy
from pipelines.score_log.key import LogKey
from pipelines.storage.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


class ScoreResult(Result):
    """What `score` answers; `frame` has the decisions of the month."""

    @property
    def version(self) -> int:
        """The version that scored."""
        return int(self.answer["version"])

    @property
    def scored(self) -> int:
        """How many rows were scored now; those that were logged already are not among them."""
        return int(self.answer["scored"])

    @property
    def decisions(self) -> Mapping[str, int]:
        """How many of them were approved, declined and referred."""
        return {name: int(self.answer[name]) for name in ("approved", "declined", "referred")}

    @property
    def score_log(self) -> Path:
        """The folder of the score log."""
        return Path(self.answer["score_log"])

    @property
    def frame(self) -> "pd.DataFrame":
        """The version's decisions of the month in the score log, by application; earlier ones are among them.

        `pd` is the probability of default; `reasons` are those of an application that was not approved.
        """
        from pipelines.score_log.score_log import ScoreLog

        answer = self.answer
        population = Population(answer["population"])
        key = LogKey(answer["model"], self.version, population, answer["period"], answer["role"])
        rows = ScoreLog(self._workspace).decisions(key)
        by = "application_id" if population is Population.applications else "customer_id"
        first = ["customer_id", "points", "pd", "band", "decision", "reasons"]
        shown = [name for name in first if name != by]
        return rows.set_index(by)[[*shown, *(name for name in rows.columns if name not in (*shown, by))]]

    def offer(self, application_id: str, amount: int, term: int | None = None) -> Offer:
        """Return what the policy of the decision offers an applicant who asks for `amount`, in minor units.

        `term` is the requested number of payments. An application that was not approved gets an offer of nothing.

        Raises:
            RequestError: no such application was decided in the month.
            ThinfileError: the policy of the decision is not in the workspace.
        """
        frame = self.frame
        if application_id not in frame.index:
            raise RequestError(
                f"application '{application_id}' has no decision of {self.answer['period']} by version {self.version}"
            )
        row: Mapping[Any, Any] = frame.loc[[application_id]].to_dict("records")[0]
        policy = kept_policy(self._workspace, row["policy_hash"])
        band = band_labels(policy.bands, policy.scale).index(row["band"])
        return offer_of(policy, decision=row["decision"], band=band, pd=row["pd"], amount=amount, asked_term=term)

    @property
    def _shown(self) -> "pd.DataFrame":
        """The counts of decisions: a month can have millions of rows."""
        import pandas as pd

        return pd.DataFrame({"applications": dict(self.decisions)})

    @property
    def _workspace(self) -> Workspace:
        return Workspace.at(str(self.score_log.parent))
