"""The values of features as codes and hashes, by which rows are compared."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Hashes = NDArray[np.uint64]

DIGITS = 4
"""Significant digits to which numbers of near copies agree."""


@dataclass(frozen=True)
class FeatureCodes:
    """The values of a feature, numbers rounded, as `codes` of its levels, and the log share and hashes of each level.

    `level_hashes` differ from those of other features; one value has the same `value_hashes` in each.
    """

    codes: NDArray[np.int32]
    value_hashes: Hashes
    level_hashes: Hashes
    log_shares: NDArray[np.float32]

    @classmethod
    def of(cls, values: "pd.Series[Any]", index: int) -> Self:
        """Return the codes of the feature with a number."""
        rounded = _rounded(values) if pd.api.types.is_float_dtype(values) else values
        codes, levels = pd.factorize(rounded, use_na_sentinel=False)
        shares = np.bincount(codes, minlength=len(levels)) / max(len(codes), 1)
        hashes = pd.util.hash_array(np.asarray(levels))
        return cls(codes.astype(np.int32), hashes, mixed(hashes + salt(index)), np.log(shares).astype(np.float32))

    def hashes(self, rows: Rows) -> Hashes:
        """Return the hash of the value of each of some rows."""
        return np.asarray(self.level_hashes[self.codes[rows]])


def salt(index: int) -> Hashes:
    """Return what makes the hashes of one feature differ from those of another."""
    return np.array([index + 1], np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def _rounded(values: "pd.Series[float]") -> "pd.Series[float]":
    numbers = values.to_numpy(np.float64)
    sizes = np.abs(numbers)
    is_plain = np.isfinite(numbers) & (sizes > 0)
    scale = np.ones(len(numbers))
    scale[is_plain] = 10.0 ** (DIGITS - 1 - np.floor(np.log10(sizes[is_plain])))
    return pd.Series(np.where(is_plain, np.round(numbers * scale) / scale, numbers) + 0.0)


def mixed(values: Hashes) -> Hashes:
    """Scramble the bits (Steele, Lea and Flood, 2014, SplitMix64), so that sums of hashes stay apart."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
