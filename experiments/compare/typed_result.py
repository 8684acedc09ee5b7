"""What `compare` answers in Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.command.result import Result, optional_number

if TYPE_CHECKING:
    import pandas as pd

VERSION_COLUMNS = ["version", "role", "candidate", "test_auc", "test_auc_low", "test_auc_high", "test_ks", "test_brier"]
STUDY_COLUMNS = ["study", "candidate", "finished", "cv_auc", "behind", "low", "high", "is_real", "version", "test_auc"]


class CompareResult(Result):
    """What `compare` answers; `frame` has the versions of the model, best first, or the trials of a study."""

    @property
    def champion(self) -> int | None:
        """The version of the champion."""
        return optional_number(self.answer.get("champion"))

    @property
    def versions(self) -> Sequence[Mapping[str, Any]]:
        """The versions of the model, best first; none with `study=`."""
        return list(self.answer.get("versions", []))

    @property
    def studies(self) -> Sequence[Mapping[str, Any]]:
        """The studies of the model; none with `study=`."""
        return list(self.answer.get("studies", []))

    @property
    def page(self) -> Path | None:
        """The page of the study; None without `study=`."""
        return Path(self.answer["page"]) if "page" in self.answer else None

    @property
    def frame(self) -> "pd.DataFrame":
        """The versions of the model, best first, or with `study=` the trials of the study in the order they ran."""
        import pandas as pd

        if "trials" in self.answer:
            return _trials(self.answer["trials"])
        rows = [{**one, "role": ", ".join(one["aliases"])} for one in self.versions]
        return pd.DataFrame(rows, columns=VERSION_COLUMNS).set_index("version")

    @property
    def study_frame(self) -> "pd.DataFrame":
        """The studies of the model by search AUC; `behind` the best one on the same folds, with its 95% interval.

        `is_real` says whether the difference is larger than chance explains, all comparisons counted.
        """
        import pandas as pd

        rows = [{**one, **one["trials"], **_difference(one.get("behind"))} for one in self.studies]
        return pd.DataFrame(rows, columns=STUDY_COLUMNS).set_index("study")

    @property
    def importances(self) -> "pd.DataFrame":
        """The importance of each parameter for the search AUC, one row per family; empty without `study=`."""
        import pandas as pd

        families = self.answer.get("numbers", {}).get("search", {}).get("families", [])
        return pd.DataFrame({one["family"]: one["importances"] or {} for one in families}).T


def _trials(trials: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Return the trials by number, with a column for each parameter."""
    import pandas as pd

    kept = ("trial", "family", "cv_auc", "seconds", "cost")
    rows = [{**{name: one[name] for name in kept}, **_difference(one["behind"]), **one["parameters"]} for one in trials]
    return pd.DataFrame(rows).set_index("trial").sort_index()


def _difference(behind: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a difference from the best as columns; the best is none behind itself."""
    if behind is None:
        return {"behind": 0.0, "low": None, "high": None, "is_real": False}
    return {"behind": behind["value"], **{name: behind[name] for name in ("low", "high", "is_real")}}
