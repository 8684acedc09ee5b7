"""A version in the registry, without MLflow, which takes seconds to import."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import ThinfileError
from pipelines.model_store.tags import CANDIDATE, EVALUATION

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class RegisteredModel:
    """One version in the registry; its tags record how it was made and evaluated."""

    name: str
    version: int
    run_id: str | None
    source: str
    model_id: str | None
    tags: Mapping[str, str]
    aliases: tuple[str, ...]
    created: float

    @property
    def evaluation(self) -> dict[str, Any]:
        """The evaluation made at registration, empty without one. Raises ThinfileError where its tag was edited."""
        try:
            evaluation = json.loads(self.tags.get(EVALUATION, "{}"))
        except ValueError:
            evaluation = None
        if not isinstance(evaluation, dict):
            raise ThinfileError(
                f"the tag {EVALUATION} of {self.name} version {self.version} is not what Thinfile wrote; restore "
                "MLflow's database from a copy, or set it to the content of evaluation/evaluation.json in its files"
            )
        return evaluation

    def in_words(self) -> str:
        """Return the family and the AUC on the test part with its 95% interval, as far as they are known."""
        family = self.tags.get(CANDIDATE, "of another tool")
        if not self.evaluation:
            return family
        auc, rows = self.evaluation["measures"]["auc"], self.evaluation["rows"]
        return f"{family}: test AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f}) on {rows:,} applications"

    @classmethod
    def of(cls, version: "ModelVersion", aliases: Sequence[str]) -> "RegisteredModel":
        """Return the registered model of MLflow's version."""
        return cls(
            name=version.name,
            version=int(version.version),
            run_id=version.run_id or None,
            source=str(version.source),
            model_id=version.model_id or _model_id_in(str(version.source)),
            tags=dict(version.tags),
            aliases=tuple(aliases),
            created=version.creation_timestamp / 1000,
        )


def _model_id_in(source: str) -> str | None:
    """Return the logged model in a source such as models:/m-1f2e; MLflow's search leaves the id out."""
    scheme, _, identity = source.partition(":/")
    return identity if scheme == "models" and identity.startswith("m-") else None
