"""Override rates: how often people overturned automated decisions, for monitoring."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.reviews.reviews import Review, Reviews
from pipelines.scoring.scorer import REFERRED


@dataclass(frozen=True)
class Overrides:
    """Reviews of one period's decisions of a model version.

    People reviewed `reviewed` automated decisions and overturned `to_approved` and `to_declined` of them; `settled`
    were referred decisions. `waiting` reviews are requested and not decided.
    """

    model: str
    version: int
    population: str
    period: str
    reviewed: int = 0
    to_approved: int = 0
    to_declined: int = 0
    settled: int = 0
    waiting: int = 0

    @property
    def overturned(self) -> int:
        """Automated decisions that a person overturned."""
        return self.to_approved + self.to_declined

    @property
    def rate(self) -> float | None:
        """Share of the reviewed decisions that were overturned, None without reviews."""
        return self.overturned / self.reviewed if self.reviewed else None


def overrides_by_period(reviews: Reviews, *, model: str | None = None) -> list[Overrides]:
    """Return the reviews by model version, population and period, in this order."""
    counts: dict[tuple[str, int, str, str], Counter[str]] = {}
    for review in reviews.all():
        first = review.entries[0].content
        if model in (None, first["model"]):
            where = (
                str(first["model"]),
                int(str(first["model_version"])),
                str(first["population"]),
                str(first["period"]),
            )
            counts.setdefault(where, Counter()).update(_counted(review))
    names = ("reviewed", "to_approved", "to_declined", "settled", "waiting")
    return [Overrides(*where, *(counter[name] for name in names)) for where, counter in sorted(counts.items())]


def _counted(review: Review) -> Iterator[str]:
    if review.request is not None:
        yield "waiting"
    if review.decided is None:
        return
    logged, outcome = review.decided.content["logged"], review.decided.content["outcome"]
    yield "settled" if logged == REFERRED else "reviewed"
    if logged not in (REFERRED, outcome):
        yield f"to_{outcome}"
