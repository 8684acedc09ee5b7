"""The settings of an evaluation set."""

from dataclasses import dataclass, field

from pipelines.applications.settings import DataSettings, SplitSettings


@dataclass
class EvaluationSetSettings:
    """The applications that a version is judged on; a part of the settings of the verb promote."""

    data: DataSettings | None = None
    """Data to judge on; by default the challenger's own."""
    split: SplitSettings = field(default_factory=SplitSettings)
    """Test part, where `data` is given."""
    seed: int = 0
    """Seed of the split, where `data` is given."""
