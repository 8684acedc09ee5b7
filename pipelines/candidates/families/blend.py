"""The family blend: the weighted sum of the log-odds of several models, each of which may be an average."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.blocks import samples_without_a_block
from pipelines.candidates.candidate import Candidate, Family, LeafTables
from pipelines.candidates.joint_trees import JointTrees
from pipelines.candidates.portable_model import Columns, Contributions, Floats
from pipelines.candidates.registry import family_named
from pipelines.candidates.settings import CandidateSettings, parameters_of
from pipelines.errors import ConfigurationError, nearest
from pipelines.storage.side_by_side import side_by_side, threads_of_each

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample

TOLERANCE = 1e-6
"""By how much the sum of the weights may differ from 1."""


@dataclass
class BlendPart:
    """One configuration of another family, and its weight."""

    family: str = "hist_gradient_boosting"
    """Family of the part."""
    parameters: dict[str, float | int] = field(default_factory=dict)
    """Parameters of the family; others have its defaults."""
    weight: float = 1.0
    """Weight of the part; the weights of all parts sum to 1."""
    average: bool = True
    """Fit a model without each fold in turn (or each period, in time-ordered data) and average their log-odds."""


@dataclass
class BlendParameters:
    """The parts of a blend."""

    parts: list[BlendPart] = field(default_factory=lambda: [BlendPart()])
    """Parts, each with family, parameters, weight and average."""

    def __post_init__(self) -> None:
        """Accept parts as mappings, as records have them."""
        self.parts = [part if isinstance(part, BlendPart) else BlendPart(**part) for part in self.parts]


@dataclass
class BlendSettings(CandidateSettings):
    """Weighted sum of the log-odds of several models, each of which may be an average."""

    parameters: BlendParameters = field(default_factory=BlendParameters)
    """Parameters of the family."""


class Blend:
    """The weighted sum of the parts' log-odds; those of a part are the mean of its models' log-odds.

    `parts` are the records of the parts, and `models` the models of each: one, or those of an average.
    """

    def __init__(self, parts: Sequence[Mapping[str, Any]], models: Sequence[Sequence[Any]]) -> None:
        self.parts, self.models = parts, models

    @classmethod
    def combine(cls, card: Mapping[str, Any], models: Sequence[Sequence[Any]]) -> Self:
        """Return the blend of loaded models."""
        return cls(card["parts"], models)

    @property
    def members(self) -> int:
        """The number of models of an average; 1 without averages."""
        return max(map(len, self.models))

    def log_odds(self, columns: Columns) -> Floats:
        """Return the weighted sum of the parts' log-odds."""
        return np.asarray(self.blended(self._of_models(columns)))

    def member_log_odds(self, columns: Columns) -> Floats:
        """Return the log-odds of the members, shape (members, n): each blends one model of each average."""
        log_odds = self._of_models(columns)
        return np.array(
            [self.blended([[one[number % len(one)]] for one in log_odds]) for number in range(self.members)]
        )

    def _of_models(self, columns: Columns) -> list[list[Floats]]:
        """Return the log-odds of each model by part; those of trees in arrays are scored together."""
        models = [model for one in self.models for model in one]
        together = iter([] if self._joint is None else self._joint.log_odds(columns))
        each = iter([next(together) if hasattr(model, "tree_set") else model.log_odds(columns) for model in models])
        return [[next(each) for _ in one] for one in self.models]

    @cached_property
    def _joint(self) -> JointTrees | None:
        sets = [model.tree_set for one in self.models for model in one if hasattr(model, "tree_set")]
        return JointTrees(sets) if sets else None

    def contributions(self, columns: Columns) -> Contributions:
        """Return the weighted sums of the models' contributions."""
        explained = [[model.contributions(columns) for model in models] for models in self.models]
        names = dict.fromkeys(name for models in explained for _, added in models for name in added)
        base = float(self.blended([[base for base, _ in models] for models in explained]))
        return base, {
            name: self.blended([[added.get(name, 0.0) for _, added in models] for models in explained])
            for name in names
        }

    def blended(self, values: Sequence[Sequence[Any]]) -> Any:
        """Return the weighted sum over the parts of the mean over their models, always added in the same order."""
        total: Any = 0.0
        for part, one in zip(self.parts, values, strict=True):
            total = total + part["weight"] * (sum(one) / len(one))
        return total


def blend_title(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return a blend in a few words, from each part's family, weight and number of models.

    >>> blend_title([{"family": "scorecard", "weight": 0.4}, {"family": "lightgbm", "weight": 0.6}])
    'blend of 2: lightgbm 0.60, scorecard 0.40'
    >>> blend_title([{"family": "lightgbm", "weight": 1.0, "models": 5}])
    'average of 5: lightgbm'
    """
    if len(parts) == 1:
        return f"average of {parts[0]['models']}: {parts[0]['family']}"
    weighted = sorted(parts, key=lambda part: -part["weight"])
    return f"blend of {len(parts)}: " + ", ".join(f"{part['family']} {part['weight']:.2f}" for part in weighted)


class BlendLeaves:
    """The leaf tables of the models of a blend, one after the other."""

    def __init__(self, blend: Blend, tables: Sequence[Sequence[LeafTables]]) -> None:
        self._blend, self._tables = blend, tables
        trees = [table.trees for one in tables for table in one]
        self._ends, self.trees = np.cumsum(trees), sum(trees)
        self.base = float(blend.blended([[table.base for table in one] for one in tables]))

    @classmethod
    def of(cls, blend: Blend) -> Self | None:
        """Return the tables of a fitted blend; None where the models of a part have none."""
        tables = [
            [family_named(part["family"]).leaf_tables(model) for model in models]
            for part, models in zip(blend.parts, blend.models, strict=True)
        ]
        present = [[table for table in one if table is not None] for one in tables]
        return cls(blend, present) if list(map(len, present)) == list(map(len, tables)) else None

    def leaves(self, columns: Columns) -> NDArray[np.integer[Any]]:
        """Return the leaf that each row reaches in each tree of each model, shape (n, trees)."""
        return np.concatenate([table.leaves(columns) for one in self._tables for table in one], axis=1)

    def log_odds(self, leaves: NDArray[np.integer[Any]]) -> Floats:
        """Return the log-odds of rows from their leaves, bit for bit those of the blend."""
        return np.asarray(self._blended(leaves, lambda table, own: table.log_odds(own)))

    def contributions(self, leaves: NDArray[np.integer[Any]]) -> Floats:
        """Return what each feature adds to `base`, shape (n, features), numeric ones first."""
        return np.asarray(self._blended(leaves, lambda table, own: table.contributions(own)))

    def _blended(
        self, leaves: NDArray[np.integer[Any]], of_model: Callable[[LeafTables, NDArray[np.integer[Any]]], Floats]
    ) -> Any:
        own = iter(np.split(leaves, self._ends[:-1], axis=1))
        return self._blend.blended([[of_model(table, next(own)) for table in one] for one in self._tables])


class BlendCandidate:
    """Fits the parts of a blend one after the other, and saves their models in folders of their own.

    Raises:
        ConfigurationError: no parts, weights that do not sum to 1, or parameters that a part's family does not have.
        RequestError: no installed package declares a part's family, or its library is not installed.
    """

    family = "blend"

    def __init__(self, parameters: BlendParameters) -> None:
        self.parameters = parameters
        self._candidates = list(_candidates(parameters.parts))

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> Blend:
        """Return the blend fitted on a sample; its averages leave out the sample's blocks in turn."""
        without_a_block = list(samples_without_a_block(sample, seed=seed))
        samples = [without_a_block if part.average else [sample] for part in self.parameters.parts]
        each = threads_of_each(sum(map(len, samples)), threads)
        fits = [
            partial(candidate.fit, one, seed=seed, threads=each)
            for candidate, own in zip(self._candidates, samples, strict=True)
            for one in own
        ]
        fitted = side_by_side(fits, threads)
        return Blend([asdict(part) for part in self.parameters.parts], [[next(fitted) for _ in own] for own in samples])

    def save(self, scorer: Blend, folder: Path) -> dict[str, object]:
        """Write each model into a folder of its own, and return the parts with these folders."""
        parts = []
        for number, (candidate, models) in enumerate(zip(self._candidates, scorer.models, strict=True)):
            names = [f"part_{number}/model_{index}" for index in range(len(models))]
            for name, model in zip(names, models, strict=True):
                (folder / name).mkdir(parents=True)
                card = {"family": candidate.family, **candidate.save(model, folder / name)}
                (folder / name / "model.json").write_text(json.dumps(card, indent=1, sort_keys=True))
            parts.append({**scorer.parts[number], "models": names})
        return {"parts": parts}


def _candidates(parts: Sequence[BlendPart]) -> Iterator[Candidate]:
    """Yield the candidate of each part."""
    key = "candidate.parameters.parts"
    if not parts:
        raise ConfigurationError(f"{key} is empty; add at least one part, such as [{{family: scorecard}}]")
    total = sum(part.weight for part in parts)
    if not abs(total - 1) <= TOLERANCE or min(part.weight for part in parts) <= 0:
        weights = ", ".join(f"{part.weight:g}" for part in parts)
        raise ConfigurationError(
            f"{key} has the weights {weights}, which sum to {total:g}; use weights above 0 that sum to 1"
        )
    for number, part in enumerate(parts):
        yield _candidate(part, f"{key}[{number}]")


def _candidate(part: BlendPart, key: str) -> Candidate:
    if part.family == BlendCandidate.family:
        raise ConfigurationError(f"{key}.family is blend, and a blend has no blends; add its parts to this one")
    family = family_named(part.family)
    family.check_installed()
    settings = family.default_settings()
    defaults = parameters_of(settings)
    types = {member.name: member.type for member in fields(defaults)}
    for name, value in part.parameters.items():
        if name not in types:
            raise ConfigurationError(f"{key}.parameters.{name}: unknown parameter '{name}'; {nearest(name, types)}")
        if types[name] is int and value != int(value):
            raise ConfigurationError(f"{key}.parameters.{name} is {value:g}; use an integer")
    typed = {name: int(value) if types[name] is int else value for name, value in part.parameters.items()}
    settings = replace(settings, parameters=replace(defaults, **typed), space={})  # type: ignore[call-arg]
    family.check(settings, key)
    return family.candidate(parameters_of(settings))


def cost(blend: Blend) -> float:
    """Return microseconds per row: those of all models."""
    return sum(
        family_named(part["family"]).cost(model)
        for part, models in zip(blend.parts, blend.models, strict=True)
        for model in models
    )


FAMILY = Family(
    name="blend",
    settings=BlendSettings,
    candidate=BlendCandidate,
    scorer=Blend,
    leaf_tables=BlendLeaves.of,
    cost=cost,
)
