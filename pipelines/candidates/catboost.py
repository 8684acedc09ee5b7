"""The catboost candidate: gradient boosting on oblivious trees with native categories."""

from pathlib import Path

from pipelines.candidates import portable_model as served
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CatBoostParameters


class CatBoostCandidate:
    """Fits and saves CatBoost models; the same seed and thread count give the same model."""

    family = "catboost"

    def __init__(self, parameters: CatBoostParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: Sample, *, seed: int, threads: int) -> served.CatBoost:
        """Return a model fitted on a sample."""
        import catboost

        model = catboost.CatBoost(
            {
                "loss_function": "Logloss",
                "iterations": self.parameters.iterations,
                "depth": self.parameters.depth,
                "learning_rate": self.parameters.learning_rate,
                "l2_leaf_reg": self.parameters.l2_leaf_reg,
                "random_strength": self.parameters.random_strength,
                "one_hot_max_size": self.parameters.one_hot_max_size,
                "max_ctr_complexity": 1,
                "random_seed": seed,
                "thread_count": threads,
                "verbose": False,
                "allow_writing_files": False,
            }
        )
        rows = served.CatBoost.arrange(sample.columns, sample.numeric, sample.categorical, sample.bad)
        if sample.weights is not None:
            rows.set_weight(sample.weights)
        model.fit(rows)
        return served.CatBoost(model, sample.numeric, sample.categorical, threads)

    def save(self, scorer: served.CatBoost, folder: Path) -> dict[str, object]:
        """Write the model's file; equal models are equal bytes, so the time and the random id are taken out."""
        metadata = scorer.model.get_metadata()
        for name in ("model_guid", "train_finish_time"):
            metadata[name] = ""
        scorer.model.save_model(str(folder / "model.cbm"))
        return {}
