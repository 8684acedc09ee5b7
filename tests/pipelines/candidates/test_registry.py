"""A family is added in one file, here or in another package; what cannot be loaded is refused by name."""

import json
from pathlib import Path

import pytest

import thinfile
from pipelines.candidates import families as own_families
from pipelines.candidates.portable_source import portable_source
from pipelines.candidates.registry import candidate_of, families, family_named
from pipelines.errors import ConfigurationError, RequestError
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, PROVENANCE
from pipelines.storage.workspace import Workspace
from tests.outside_family import installed, trusting
from tests.pipelines.candidates.test_conformance import a_table, folds_of
from tests.pipelines.candidates.test_training import Sample, train

BASE_RATE = '''
"""The family base_rate: everyone has the same probability."""

import json
from dataclasses import dataclass, field

import numpy as np

from pipelines.candidates.candidate import Family
from pipelines.candidates.settings import CandidateSettings, Range


@dataclass
class BaseRateParameters:
    prior: float = 1.0


@dataclass
class BaseRateSettings(CandidateSettings):
    parameters: BaseRateParameters = field(default_factory=BaseRateParameters)


class BaseRate:
    def __init__(self, value):
        self.value = value

    @classmethod
    def load(cls, folder, card, threads):
        return cls(json.loads((folder / "base_rate.json").read_text()))

    def log_odds(self, columns):
        return np.full(len(next(iter(columns.values()))), self.value)

    def contributions(self, columns):
        return self.value, {}


class BaseRateCandidate:
    family = "base_rate"

    def __init__(self, parameters):
        self.parameters = parameters

    def fit(self, sample, *, seed, threads):
        bad = sample.bad.sum() + self.parameters.prior
        return BaseRate(float(np.log(bad / (len(sample.bad) + 2 * self.parameters.prior - bad))))

    def save(self, scorer, folder):
        (folder / "base_rate.json").write_text(json.dumps(scorer.value))
        return {}


FAMILY = Family(
    "base_rate", BaseRateSettings, BaseRateCandidate, BaseRate, space={"prior": Range(1, 9)}, fitted_with=("numpy",)
)
'''


@pytest.fixture
def one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One source file in a folder of families."""
    monkeypatch.setattr(own_families, "__path__", [*own_families.__path__, str(tmp_path)])
    file = tmp_path / "base_rate.py"
    file.write_text(BASE_RATE)
    return file


def test_a_family_is_one_file(one_file: Path) -> None:
    family = families()["base_rate"]
    settings = family.default_settings()
    table, bad = a_table()
    sample = Sample.of(table, bad, ["income"], ["channel"])
    model = train(candidate_of(settings), sample, folds_of(len(bad)), settings.calibration, seed=0, threads=1).model
    assert model.probability_of_bad(sample.columns) == pytest.approx(bad.mean(), abs=0.01)
    assert settings.space["prior"].high == 9
    assert "class BaseRate:" in portable_source({family.name: family.scorer})
    assert family.packages == ("numpy",)


def test_it_is_offered_without_a_file_of_its_own_and_with_one(
    one_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert thinfile.main(["tune", "candidate=base_rate", "--cfg", "job"]) == 0
    assert "high: 9.0" in capsys.readouterr().out
    folder = tmp_path / "conf" / "candidate"
    folder.mkdir(parents=True)
    (folder / "base_rate.yaml").write_text("defaults: [base_rate_schema, _self_]\nparameters: {prior: 7}\n")
    assert thinfile.main(["tune", "candidate=base_rate", f"--config-dir={folder.parent}", "--cfg", "job"]) == 0
    told = capsys.readouterr().out
    assert "prior: 7.0" in told
    assert "high: 9.0" not in told
    assert thinfile.main(["tune", "candidate=base_rat"]) == 2
    assert "did you mean base_rate?" in capsys.readouterr().err


@pytest.mark.integration
def test_a_family_of_another_package_is_tuned_registered_scored_and_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = tmp_path / "workspace"
    trusted = f"policy.models.families={json.dumps(trusting().families)}"
    words = [
        "candidate=naive_bayes",
        "data=german_credit",
        "trials=2",
        f"workspace={workspace}",
        "output=json",
        trusted,
    ]
    assert thinfile.main(["tune", *words]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert set(outcome["parameters"]) == {"bins", "prior"}
    assert outcome["test"]["measures"]["auc"]["value"] > 0.7
    store = ModelStore(Workspace.at(str(workspace)))
    registered = store.aliased("credit_score", CHALLENGER)
    assert registered is not None
    assert store.read_record(registered.run_id, PROVENANCE)["packages"]["thinfile-naive-bayes"] == "1.0"
    predictor = load_predictor(store, registered, trusting())
    table, _ = a_table(5)
    columns = table.rename(columns=dict(zip(table.columns, predictor.numeric, strict=False)))
    columns = columns.assign(**dict.fromkeys(predictor.numeric, 0.0), **dict.fromkeys(predictor.categorical, "A11"))
    explained = predictor.contributions(columns)
    assert explained is not None
    base, added = explained
    assert base + added.sum(axis=1) == pytest.approx(predictor.log_odds(columns))


def package(folder: Path, name: str, value: str, source: str = "") -> Path:
    """Write a package `theirs` with one entry point."""
    (folder / "theirs-1.0.dist-info").mkdir(parents=True)
    (folder / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (folder / "theirs-1.0.dist-info" / "entry_points.txt").write_text(f"[thinfile.candidates]\n{name} = {value}\n")
    (folder / f"{value.partition(':')[0]}.py").write_text(source)
    return folder


@pytest.mark.parametrize(
    ("name", "value", "source", "reason"),
    [
        ("odd", "odd_missing:FAMILY", "import nowhere_to_be_found", r"ModuleNotFoundError: .*nowhere_to_be_found"),
        ("odd", "odd_text:FAMILY", "FAMILY = 'odd'", "odd_text:FAMILY is of type str, not Family"),
        ("odd", "odd_name:FAMILY", BASE_RATE, "odd_name:FAMILY declares the family 'base_rate'"),
        ("scorecard", "odd_twice:FAMILY", BASE_RATE, "the family 'scorecard' is declared already"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_one_message_naming_the_package(
    name: str, value: str, source: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with installed(package(tmp_path / "site", name, value, source)):
        message = (
            rf"family '{name}' of the package 'theirs' cannot be loaded \({reason}.*; update or uninstall 'theirs'"
        )
        with pytest.raises(ConfigurationError, match=message):
            families()
        assert thinfile.main(["tune", "candidate=scorecard", "data=german_credit"]) == 2
        told = capsys.readouterr().err
        assert len(told.strip().splitlines()) == 1
        assert "of the package 'theirs' cannot be loaded" in told
        assert family_named("scorecard").package is None  # a champion of another family is still scored


def test_a_model_of_a_family_that_nobody_declares_is_refused() -> None:
    with pytest.raises(
        RequestError, match=r"declares the candidate family 'scorecrd'; .* \(did you mean scorecard\?\)"
    ):
        family_named("scorecrd")


def test_a_scorer_that_needs_more_of_thinfile_than_travels_is_refused(tmp_path: Path) -> None:
    source = BASE_RATE.replace("import numpy as np", "import numpy as np\n\nfrom pipelines.credit.points import points")
    with installed(package(tmp_path, "base_rate", "greedy:FAMILY", source.replace("self.value)", "points)", 1))):
        scorer = family_named("base_rate").scorer
    with pytest.raises(TypeError, match=r"scorer in greedy uses pipelines\.credit\.points, which is not logged"):
        portable_source({"base_rate": scorer})
