"""The score log: what is logged stays, what is new is added, and the numbers are the model's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.experiment.settings import TuneSettings
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.credit.points import PointsScale, points
from pipelines.credit.population import Population
from pipelines.errors import DataError, RequestError, ThinfileError
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.foreign import probabilities
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, POLICY
from pipelines.policy.pack import Automation, Claim, GateSettings, PolicySettings, ReasonSettings, policy_hash
from pipelines.policy.stored_policies import kept_policy
from pipelines.score_log.columns import row_schema
from pipelines.score_log.key import LogKey, decision_ids
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace

PROTECTED = ["personal_status_and_sex", "age_in_years", "foreign_worker"]
Score = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a champion."""
    found = Workspace.at(str(tmp_path_factory.mktemp("scoring") / "workspace"))
    data = DataSettings(source=Source.german_credit, label="creditability", bad="bad", protected=PROTECTED)
    tune(TuneSettings(workspace=str(found.root), data=data, candidate=ScorecardSettings(), trials=1))
    promote(PromoteSettings(workspace=str(found.root)))
    return found


@pytest.fixture
def scored(workspace: Workspace, german_settings: DataSettings, tmp_path: Path) -> Score:
    """Score a table for a period and return the answer."""

    def run(table: pd.DataFrame, period: str, **changed: Any) -> dict[str, Any]:
        path = tmp_path / "applications.parquet"
        table.to_parquet(path)
        policy = changed.pop("policy", PolicySettings())
        data = replace(german_settings, path=str(path), **({"id": "id"} | changed))
        settings = ScoreSettings(workspace=str(workspace.root), data=data, period=period, policy=policy)
        return dict(score(settings).result)

    return run


@pytest.fixture
def applications(german_table: pd.DataFrame) -> pd.DataFrame:
    rows = german_table.head(40).drop(columns="creditability")
    return rows.assign(id=[f"G{row:03d}" for row in range(40)])


def key(period: str) -> LogKey:
    return LogKey("credit_score", 1, Population.applications, period)


def test_scored_twice_nothing_is_doubled_and_new_rows_are_added(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    first = scored(applications.head(30), "2026-03")
    log = ScoreLog(workspace).decisions(key("2026-03"))
    again = scored(applications.head(30), "2026-03")
    grown = scored(applications, "2026-03")
    assert [told["scored"] for told in (first, again, grown)] == [30, 0, 10]
    after = ScoreLog(workspace).decisions(key("2026-03"))
    assert sorted(after["application_id"]) == sorted(applications["id"])
    pd.testing.assert_frame_equal(after[after["decision_id"].isin(log["decision_id"])].reset_index(drop=True), log)


def test_the_log_holds_the_models_own_numbers_and_its_features(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    scored(applications, "2026-04")
    store = ModelStore(workspace)
    champion = store.aliased("credit_score", CHAMPION)
    assert champion is not None
    expected = load_predictor(store, champion).probability_of_bad(applications)
    decisions = ScoreLog(workspace).decisions(key("2026-04")).set_index("application_id").loc[applications["id"]]
    assert [*decisions.reset_index()[row_schema().names]] == row_schema().names
    np.testing.assert_array_equal(decisions["pd"], expected)
    np.testing.assert_array_equal(decisions["points"], points(expected, PointsScale()))
    assert ((decisions["decision"] == "approved") == (decisions["points"] >= 550)).all()
    features = ScoreLog(workspace).features(key("2026-04"))
    assert set(features["decision_id"]) == set(decisions["decision_id"])
    assert not set(PROTECTED) & set(features)
    protected = pd.read_parquet(next((workspace.score_log / "protected").rglob("period=2026-04/*.parquet")))
    assert set(PROTECTED) <= set(protected)


def test_infinite_rows_are_quarantined_and_the_counts_reconcile(scored: Score, applications: pd.DataFrame) -> None:
    broken = applications.astype({"credit_amount": float})
    broken.loc[2, "credit_amount"] = np.inf
    told = scored(broken, "2026-05")
    assert told["quarantined"] == {"'credit_amount' is infinite": 1}
    assert (told["rows_in"], told["scored"]) == (40, 39)


def test_a_table_that_lacks_a_column_of_the_model_is_told(scored: Score, applications: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"no column 'credit_amount', which .*; did you mean credit_amounts"):
        scored(applications.rename(columns={"credit_amount": "credit_amounts"}), "2026-06")


def test_scored_again_decisions_keep_their_ids_and_their_time(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    scored(applications, "2026-07")
    first = ScoreLog(workspace).decisions(key("2026-07"))
    scored(applications.sample(frac=1, random_state=0), "2026-07")  # the same applications in another order
    pd.testing.assert_frame_equal(ScoreLog(workspace).decisions(key("2026-07")), first)
    store = ModelStore(workspace)
    model_hash = load_predictor(store, proven_champion(store, "credit_score")).hash
    expected = decision_ids(key("2026-07"), model_hash, first["application_id"].to_numpy(dtype=str))
    assert first["decision_id"].tolist() == expected


def test_the_same_applications_in_another_month_are_decided_anew(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    assert [scored(applications, period)["scored"] for period in ("2027-01", "2027-02")] == [40, 40]
    first, second = (ScoreLog(workspace).decisions(key(period)) for period in ("2027-01", "2027-02"))
    assert not set(first["decision_id"]) & set(second["decision_id"])


def test_a_label_that_is_there_is_not_looked_at(scored: Score, german_table: pd.DataFrame) -> None:
    labelled = german_table.head(20).assign(id=[f"L{row}" for row in range(20)], creditability=None)
    assert scored(labelled, "2026-08")["scored"] == 20


def test_a_lower_cut_off_approves_more(scored: Score, applications: pd.DataFrame) -> None:
    told = [
        scored(applications, period, policy=PolicySettings(approve_from=cutoff))["approved"]
        for period, cutoff in (("2027-03", 350), ("2027-04", 600), ("2027-05", 951))
    ]
    assert told[0] == 40 > told[1] > told[2] == 0


def test_what_is_scored_reconciles_with_what_came_in(scored: Score, applications: pd.DataFrame) -> None:
    broken = applications.astype({"credit_amount": float})
    broken.loc[:1, "credit_amount"] = np.inf
    scored(applications.head(10), "2026-09")
    told = scored(broken, "2026-09")
    assert (told["rows_in"], told["scored"], told["already_logged"]) == (40, 30, 8)
    assert told["quarantined"] == {"'credit_amount' is infinite": 2}


def test_rows_that_one_command_left_out_do_not_replace_those_it_scored(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    # given two applications without their time, left out where a time is asked for
    timed = applications.assign(asked=pd.date_range("2026-10-01", periods=40, freq="h"))
    timed.loc[:1, "asked"] = pd.NaT
    assert scored(timed, "2026-10", time="asked")["scored"] == 38
    # when the same table is scored without asking
    assert scored(timed, "2026-10")["scored"] == 2
    # then all forty decisions are there
    assert len(ScoreLog(workspace).decisions(key("2026-10"))) == 40


def test_rows_without_an_id_are_told_apart(scored: Score, applications: pd.DataFrame, workspace: Workspace) -> None:
    halves = [applications.iloc[:20], applications.iloc[20:].reset_index(drop=True)]
    scored(pd.concat(halves).drop(columns="id"), "2026-11", id=None)
    assert ScoreLog(workspace).decisions(key("2026-11"))["decision_id"].nunique() == 40


def test_a_period_is_about_its_own_applications(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    timed = applications.assign(asked=pd.date_range("2028-02-20", periods=40))
    told = scored(timed, "2028-03", time="asked")
    assert (told["rows_in"], told["scored"], told["other_periods"]) == (40, 30, 10)
    assert set(ScoreLog(workspace).decisions(key("2028-03"))["application_id"]) == set(applications["id"][10:])
    with pytest.raises(DataError, match=r"no application was made in 2028-05 \(2028-02 to 2028-03\); correct period"):
        scored(timed, "2028-05", time="asked")


def test_rows_without_an_id_that_look_like_logged_ones_are_not_guessed_about(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    nameless = applications.drop(columns="id")
    assert scored(nameless.head(30), "2028-06", id=None)["scored"] == 30
    assert scored(nameless.head(30), "2028-06", id=None)["already_logged"] == 30
    # a table that has grown: whether its first rows are those that are logged nobody can say
    with pytest.raises(DataError, match="30 of these rows without an id look like rows that are logged"):
        scored(nameless, "2028-06", id=None)
    # rows that are new by their content are welcome
    assert scored(nameless.tail(10), "2028-06", id=None)["scored"] == 10
    assert len(ScoreLog(workspace).decisions(key("2028-06"))) == 40


def test_declined_applications_have_their_reasons_in_the_log(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    policy = PolicySettings(reasons=ReasonSettings(most=2, wording={"purpose": "Intended purchase"}))
    told = scored(applications, "2028-07", policy=policy)
    rows = ScoreLog(workspace).decisions(key("2028-07"))
    declined = rows["decision"] == "declined"
    assert 5 < declined.sum() < 35
    assert rows.loc[~declined, "reasons"].isna().all()
    assert rows.loc[declined, "reasons"].map(lambda words: 1 <= len(words) <= 2).all()
    assert told["declined"] == declined.sum()
    assert sum(told["reasons"].values()) == rows.loc[declined, "reasons"].map(len).sum()
    # they are those of the model's own contributions
    store = ModelStore(workspace)
    predictor = load_predictor(store, proven_champion(store, "credit_score"))
    by_id = applications.set_index("id")
    contributions = predictor.contributions(by_id)
    assert contributions is not None
    names = [*predictor.numeric, *predictor.categorical]
    added = pd.DataFrame(contributions[1], index=by_id.index, columns=names)
    for row in rows[declined].itertuples():
        leading = str(added.loc[row.application_id].idxmax()).replace("_", " ")
        first = row.reasons[0].partition(" (")[0]
        assert first == ("Intended purchase" if leading == "purpose" else leading)


def test_a_policy_may_leave_declines_to_a_person(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    policy = PolicySettings(approve_from=600, automation=Automation.declines_are_referred)
    told = scored(applications, "2028-08", policy=policy)
    rows = ScoreLog(workspace).decisions(key("2028-08"))
    assert set(rows["decision"]) == {"approved", "referred"}
    assert told["referred"] == (rows["points"] < 600).sum() > 0 == told["declined"]
    assert rows.loc[rows["decision"] == "referred", "reasons"].map(len).min() > 0


def test_the_policy_of_a_decision_is_kept_whole(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    policy = PolicySettings(
        name="ours",
        automation=Automation.declines_are_referred,
        gates=GateSettings(claim=Claim.not_inferior, waived=["telephone"]),
        reasons=ReasonSettings(wording={"purpose": "Intended purchase"}),
    )
    scored(applications, "2028-09", policy=policy)
    (found,) = set(ScoreLog(workspace).decisions(key("2028-09"))["policy_hash"])
    assert found == policy_hash(policy)
    assert kept_policy(workspace, found) == policy
    # a policy that was changed afterwards is not that of the decision
    path = workspace.policies / f"{found}.json"
    path.write_text(path.read_text().replace('"approve_from": 550', '"approve_from": 551'))
    with pytest.raises(ThinfileError, match=r"does not match its hash"):
        kept_policy(workspace, found)
    scored(applications, "2028-10", policy=policy)
    assert kept_policy(workspace, found) == policy  # what is scored under it is kept under it


def test_another_policy_than_that_of_the_promotion_is_told(
    scored: Score, applications: pd.DataFrame, workspace: Workspace
) -> None:
    store = ModelStore(workspace)
    champion = proven_champion(store, "credit_score")
    store.tag(champion, {POLICY: policy_hash(PolicySettings())})
    assert scored(applications, "2028-11")["is_policy_of_promotion"]
    assert not scored(applications, "2028-12", policy=PolicySettings(approve_from=560))["is_policy_of_promotion"]


@pytest.mark.parametrize(
    "policy",
    [
        PolicySettings(bands=[700, 550]),
        PolicySettings(bands=[100, 600]),
        PolicySettings(scale=PointsScale(points_to_double_the_odds=0)),
        PolicySettings(scale=PointsScale(points_to_double_the_odds=-50)),
        PolicySettings(scale=PointsScale(lowest=900, highest=400)),
    ],
    ids=["bands not in order", "bands beyond the scale", "no points", "more risk, more points", "ends turned round"],
)
def test_a_policy_that_cannot_rank_is_refused(
    policy: PolicySettings, scored: Score, applications: pd.DataFrame
) -> None:
    with pytest.raises(RequestError, match=r"policy\."):
        scored(applications, "2028-01", policy=policy)


def test_a_model_whose_files_changed_is_not_used(workspace: Workspace) -> None:
    store = ModelStore(workspace)
    champion = store.aliased("credit_score", CHAMPION)
    assert champion is not None
    file = store.download(champion) / "artifacts" / "model" / "scorecard.json"
    original = file.read_bytes()
    file.write_bytes(original.replace(b"1", b"2", 1))
    try:
        with pytest.raises(ThinfileError, match="changed since it was registered"):
            load_predictor(store, champion)
    finally:
        file.write_bytes(original)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.array([0, 1, 1]), "returned classes such as"),
        (np.array([0.0, 1.0, 1.0]), "returned classes such as"),
        (np.array(["good", "bad", "bad"]), "returned classes such as"),
        (np.full((3, 2), 0.5), r"returned an array of shape \(3, 2\) for 3 rows"),
        (np.array([0.2, 0.4]), r"returned an array of shape \(2,\) for 3 rows"),
        (np.array([0.2, 0.4, 1.4]), "returned values from 0.2 to 1.4, not probabilities"),
    ],
)
def test_only_probabilities_of_bad_are_accepted(answer: np.ndarray, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        probabilities(answer, 3, "a model")


def test_a_column_of_probabilities_is_accepted_in_any_wrapping() -> None:
    expected = np.array([0.1, 0.9])
    for answer in (expected, expected[:, None], pd.Series(expected), pd.DataFrame({"p": expected})):
        np.testing.assert_array_equal(probabilities(answer, 2, "a model"), expected)
