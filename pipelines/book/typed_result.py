"""What `prepare` answers in Python."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.command.result import Result

if TYPE_CHECKING:
    import pandas as pd


class PrepareResult(Result):
    """What `prepare` answers; `frame` says what became of the applications. Of a book or a join, use `answer`."""

    @property
    def training(self) -> Path:
        """The folder of the training table: mature applications with their outcome."""
        return Path(self.answer["training"])

    @property
    def applications(self) -> Path:
        """The folder of all applications, declined and immature ones too, for `score`."""
        return Path(self.answer["applications"])

    @property
    def frame(self) -> "pd.DataFrame":
        """The number of applications by status: mature, declined, immature and others."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.answer.get("statuses", {}), orient="index", columns=["applications"])
