"""What a feature of a request is: a number or text, and what the model's record says of its column."""

from dataclasses import dataclass

from pipelines.reading.values import Kind


@dataclass(frozen=True)
class FeatureType:
    """A feature that a model reads as a number or as text, and what its column was taken for in training."""

    is_number: bool
    kind: Kind | None = None

    @property
    def is_flag(self) -> bool:
        """Whether true and false are values of the feature."""
        return self.kind is Kind.flag

    @property
    def usual(self) -> type | None:
        """The type of JSON whose values need no further reading; None where each value is read."""
        if self.is_number:
            return float
        return str if self.kind in (None, Kind.text) else None
