"""The default features, as conf/features/default.yaml declares them."""

from pathlib import Path

from omegaconf import OmegaConf

from pipelines.features.settings import FeatureSettings

_DECLARED = Path(__file__).resolve().parents[2] / "conf" / "features" / "default.yaml"


def default_features() -> FeatureSettings:
    """Return what the file declares over the schema's defaults."""
    declared = OmegaConf.load(_DECLARED)
    del declared["defaults"]
    settings = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(FeatureSettings), declared))
    assert isinstance(settings, FeatureSettings)
    return settings
