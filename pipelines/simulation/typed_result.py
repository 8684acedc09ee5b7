"""What `simulate` answers in Python."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.command.result import Result

if TYPE_CHECKING:
    import pandas as pd


class SimulateResult(Result):
    """What `simulate` answers; `frame` has the number of rows of each table. All of it is simulated."""

    @property
    def folder(self) -> Path:
        """The folder of the simulated tables; `truth` in it has the true probabilities of default, for grading only."""
        return Path(self.answer["lake"])

    @property
    def as_of(self) -> str:
        """The date up to which everything is simulated, YYYY-MM-DD: the `loan.as_of` of `prepare`."""
        return str(self.answer["as_of"])[:10]

    @property
    def frame(self) -> "pd.DataFrame":
        """The number of rows of each table."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.answer["rows"], orient="index", columns=["simulated rows"])
