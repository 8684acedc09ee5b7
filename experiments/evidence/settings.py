"""The settings of an evaluation set."""

from dataclasses import dataclass, field

from pipelines.applications.settings import DataSettings, SplitSettings


@dataclass
class EvaluationSetSettings:
    """The applications that a version is judged on; a part of the settings of the verb promote.

    Without `data` they are those of the challenger's own record, split as they were then.
    """

    data: DataSettings | None = None
    split: SplitSettings = field(default_factory=SplitSettings)
    seed: int = 0
