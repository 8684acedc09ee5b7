"""How many decisions a key may ask for: a token bucket in each worker."""

from dataclasses import dataclass


@dataclass
class Bucket:
    """Tokens that refill with time; `filled_at` is when they were counted last, in seconds."""

    tokens: float
    filled_at: float


class Allowance:
    """A bucket for each key: it holds one second's worth, and at least what one request may ask."""

    def __init__(self, per_second: float | None, workers: int, most_at_once: int) -> None:
        self.rate = None if per_second is None else per_second / workers
        self.most = max(self.rate or 0.0, float(most_at_once))
        self._buckets: dict[str, Bucket] = {}

    def take(self, holder: str, decisions: int, now: float) -> float:
        """Take tokens for so many decisions and return 0, or return after how many seconds to ask again.

        >>> allowance = Allowance(10.0, workers=1, most_at_once=10)
        >>> [allowance.take("a", 10, now=0.0), allowance.take("a", 1, now=0.0), allowance.take("a", 1, now=0.1)]
        [0.0, 0.1, 0.0]
        """
        if self.rate is None:
            return 0.0
        bucket = self._buckets.setdefault(holder, Bucket(self.most, now))
        bucket.tokens = min(self.most, bucket.tokens + (now - bucket.filled_at) * self.rate)
        bucket.filled_at = now
        if bucket.tokens < decisions:
            return (decisions - bucket.tokens) / self.rate
        bucket.tokens -= decisions
        return 0.0
