"""What `tune` answers in Python."""

from typing import TYPE_CHECKING

from pipelines.command.result import Result, optional_number

if TYPE_CHECKING:
    import pandas as pd


class TuneResult(Result):
    """What `tune` answers; `frame` has the measures of the version on the test part with their 95% intervals."""

    @property
    def model(self) -> str:
        """The name in the registry."""
        return str(self.answer["model"])

    @property
    def version(self) -> int | None:
        """The version that was registered, of a fair search the recommended one; None where none was."""
        return optional_number(self.answer.get("version", self.answer.get("recommended")))

    @property
    def study(self) -> str:
        """The name of the study."""
        return str(self.answer["study"])

    @property
    def run_id(self) -> str:
        """The study's run in MLflow."""
        return str(self.answer["run_id"])

    @property
    def test_auc(self) -> float | None:
        """The AUC of the version on the test part; None of a fair search, and where nothing was registered."""
        measures = self.answer.get("test", {}).get("measures", {})
        return float(measures["auc"]["value"]) if measures else None

    @property
    def frame(self) -> "pd.DataFrame":
        """The measures on the test part, by name: value, low, high; empty where `test_auc` is None."""
        import pandas as pd

        measures = self.answer.get("test", {}).get("measures", {})
        return pd.DataFrame.from_dict(measures, orient="index")
