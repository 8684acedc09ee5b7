"""The model document: everything known is in it, what is not is said, and it is a page that can be read anywhere."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from experiments.document import DocumentFacts, FeatureFact, document, gather, write_document
from experiments.document.content import content_of
from experiments.document.decision import verdict_of
from experiments.document.limitations import limitations_of
from experiments.document.not_measured import not_measured_of
from experiments.document.page import SECTIONS, page_of
from experiments.evidence.evaluation import separation
from experiments.evidence.evidence_files import document_findings, sealed
from experiments.experiment.settings import TuneSettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.credit.discrimination import auc, kolmogorov_smirnov_of
from pipelines.credit.tally import tally
from pipelines.model_store.files import DOCUMENT, DOCUMENT_JSON, model_hash
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, MODEL_HASH
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.workspace import Workspace
from tests.chromium import open_page, print_page
from tests.experiments.document.document_facts import (
    ENTRIES,
    HOSTILE,
    REFUSED,
    SETTINGS,
    bare_facts,
    full_facts,
    hostile_facts,
)
from tests.experiments.ledgers import Book
from tests.real_parts import needs_chromium

Page = Callable[[DocumentFacts], Path]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    def write(facts: DocumentFacts) -> Path:
        path = tmp_path / DOCUMENT
        path.write_text(document(facts))
        return path

    return write


class _Tags(HTMLParser):
    """The names of all tags and attributes, and whether each tag is closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag not in ("meta", "br", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("facts", [full_facts(), bare_facts(), hostile_facts()], ids=["full", "bare", "hostile"])
def test_every_section_is_there_in_order_whatever_is_known(facts: DocumentFacts) -> None:
    told = document(facts)
    tags = _Tags(told)
    assert tags.open == []
    assert re.findall(r'<section id="(\w+)">', told)[: len(SECTIONS)] == [name for name, _ in SECTIONS]
    assert not {"script", "link", "iframe", "object", "img"} & set(tags.seen)
    assert not {name for name in tags.attributes if name.startswith("on") or name in ("src", "style")}


def test_what_is_missing_is_said_to_be() -> None:
    told = document(bare_facts())
    assert told.count("Not measured:") >= 12
    assert told.count("Not recorded:") >= 6
    assert not re.findall(r"\b(nan|None|Undefined)\b", told)


def test_nothing_is_missing_where_everything_is_known() -> None:
    told = document(full_facts())
    assert "Not measured:" not in told
    assert "Not recorded:" not in told
    assert told.count('<svg role="img" aria-label="') == 9


def test_texts_that_people_write_stay_texts() -> None:
    told = document(hostile_facts())
    assert HOSTILE not in told
    assert "<script" not in told


def test_a_record_that_lacks_parts_is_written_as_well() -> None:
    # given: an evidence record with each of its parts taken away in turn, and with each of them empty
    whole = full_facts().evidence
    assert whole is not None
    for part in whole:
        document(full_facts(evidence={key: value for key, value in whole.items() if key != part}))
        document(full_facts(evidence=whole | {part: None}))


@pytest.mark.parametrize(
    ("decisions", "state"),
    [
        ([], "judged"),
        ([("promoted", 1), ("requested", 3)], "requested"),
        ([("promoted", 1), ("requested", 3), ("approved", 3)], "requested"),
        ([("promoted", 1), ("refused", 3)], "refused"),
        ([("promoted", 1), ("refused", 3), ("requested", 3)], "requested"),
        ([("promoted", 1), ("refused", 3), ("promoted", 4)], "refused"),
        ([("promoted", 1), ("requested", 3), ("promoted", 4)], "lapsed"),
        ([("promoted", 1), ("requested", 3), ("promoted", 3)], "champion"),
        ([("promoted", 1), ("promoted", 3), ("requested", 4)], "champion"),
        ([("promoted", 1), ("promoted", 3), ("promoted", 4)], "retired"),
        ([("promoted", 1), ("promoted", 3), ("rolled_back", 1)], "retired"),
        ([("promoted", 1), ("promoted", 3), ("rolled_back", 1), ("requested", 3)], "requested"),
        ([("promoted", 3), ("promoted", 4), ("rolled_back", 3)], "champion"),
    ],
)
def test_the_verdict_is_what_the_ledger_says_last(decisions: list[tuple[str, int]], state: str) -> None:
    entries = [
        {"sequence": place, "written_at": f"2026-10-{place:02d}T00:00", "decision": decision, "version": version}
        for place, (decision, version) in enumerate(decisions, start=1)
    ]
    assert verdict_of(full_facts(entries=tuple(entries))).state == state


def test_approvals_count_as_the_policy_counts_them() -> None:
    # given a policy of two signatures: one is unsigned, one by the person who asked, one given twice
    mira = ENTRIES[2] | {"sequence": 5, "by": "mira"}
    jonas = ENTRIES[2] | {"sequence": 6}
    verdict = verdict_of(full_facts(entries=(*ENTRIES[:4], mira, jonas)))
    assert (len(verdict.approvals), verdict.agreed, verdict.required) == (4, 1, 2)
    assert "it waits for 1 of 2 approvals" in verdict.sentence


def test_approvals_of_an_earlier_request_do_not_count_for_a_later_one() -> None:
    again = ENTRIES[1] | {"sequence": 5}
    verdict = verdict_of(full_facts(entries=(*ENTRIES[:4], again)))
    assert verdict.approvals == ()
    assert "it waits for 2 of 2 approvals" in verdict.sentence


def test_each_limitation_is_told_where_it_is_true_and_only_there() -> None:
    told = " ".join(limitations_of(full_facts()))
    for found in (
        "3 other challengers were compared on the same test part before",
        "not signed: aiko",
        "is simulated",
        "folds of the search are too short for an embargo",
        "4,120 loans were immature on 2026-10-01",
        "6,210 applications were declined",
        "returned_share_180 (11%), orders_90 (3%)",
        "age_band 61+",
        "uncommitted changes to fd9487f0c1d2",
    ):
        assert found in told
    for absent in (
        "training rows are",
        "have no dates",
        "Fairness was not measured",
        "has no amounts",
        "no recorded meaning",
    ):
        assert absent not in told


@pytest.mark.parametrize(
    ("isolation", "expected"),
    [({}, ""), ({"version 7": "not isolated (policy.models.unisolated)"}, "process not isolated (policy.models.unis")],
)
def test_how_the_code_of_another_tool_was_run_is_a_limitation(isolation: dict[str, str], expected: str) -> None:
    facts = full_facts()
    assert facts.evidence is not None
    about = facts.evidence["about"] | {"isolation": isolation}
    told = " ".join(limitations_of(replace(facts, evidence=dict(facts.evidence) | {"about": about})))
    assert expected in told
    assert ("of another tool" in told) is bool(isolation)


def test_a_flat_table_has_limits_of_its_own() -> None:
    data = SETTINGS["data"] | {"source": "table", "time": None, "amount": None}
    features = (FeatureFact("a", "numeric"), FeatureFact("b", "numeric", meaning="age of the account"))
    facts = replace(
        full_facts(features=features, prepared=None, data=None, entries=ENTRIES[:1]),
        settings=SETTINGS | {"data": data},
        provenance={"git_commit": "0" * 40},
    )
    told = " ".join(limitations_of(facts))
    assert "The applications have no dates" in told
    assert "The data has no amounts" in told
    assert "1 of 2 features have no recorded meaning: a." in told
    for absent in ("simulated", "immature", "declined by", "not signed", "commit"):
        assert absent not in told


def test_ks_and_auc_can_be_read_from_the_separation() -> None:
    # given more different points than are kept
    generator = np.random.default_rng(3)
    bad = (generator.random(4000) < 0.2).astype(np.int8)
    told = np.rint(generator.normal(620 - 40.0 * bad, 60)).astype(np.int64)
    curve = separation(bad, told)
    # then the largest distance is exact and the area under the thinned curve nearly
    assert len(curve) <= 121
    widest = max(one["bad"] - one["good"] for one in curve)
    assert widest == pytest.approx(kolmogorov_smirnov_of(tally(bad, -told.astype(np.float64))), abs=1e-12)
    across, up = [0.0, *(one["good"] for one in curve)], [0.0, *(one["bad"] for one in curve)]
    assert np.trapezoid(up, across) == pytest.approx(auc(bad, -told.astype(np.float64)), abs=2e-3)
    assert curve[-1] == {"points": told.max(), "good": 1.0, "bad": 1.0}


@needs_chromium
@pytest.mark.parametrize(
    ("facts", "width"),
    [
        pytest.param(full_facts(), 1280, id="wide"),
        pytest.param(full_facts(), 400, id="narrow"),
        pytest.param(bare_facts(), 1280, id="bare"),
        pytest.param(hostile_facts(), 400, id="hostile"),
    ],
)
def test_the_page_can_be_read_at_any_width_with_the_network_off(page: Page, facts: DocumentFacts, width: int) -> None:
    shown = open_page(page(facts), width=width)
    assert not shown.console
    assert not shown.requests
    assert not shown.wide
    assert "Limitations" in shown.text


@needs_chromium
def test_the_page_prints_on_a4(page: Page) -> None:
    printed = print_page(page(full_facts()))
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 8
    [width, height] = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)[0]
    assert (float(width), float(height)) == pytest.approx((595, 842), abs=2)


def test_the_document_of_a_tuned_version_lies_beside_it_and_is_no_part_of_it(
    workspace: Workspace, german_settings: DataSettings
) -> None:
    # given
    candidate = ScorecardSettings(space={"smoothing": Range(1, 50, log=True)})
    german_settings.meanings = {"duration_in_month": "duration of the loan, in months"}
    tune(TuneSettings(workspace=str(workspace.root), data=german_settings, candidate=candidate, trials=3))
    store = ModelStore(workspace)
    version = store.aliased("credit_score", CHALLENGER)
    assert version is not None
    # when
    facts = gather(store, version, [])
    path = write_document(store, version, [])
    again = write_document(store, version, [])
    # then
    assert path == again == store.attached(version, DOCUMENT)
    assert path.read_text() == sealed(document(facts))
    assert document_findings(store, version) == []
    assert model_hash(store.download(version)) == version.tags[MODEL_HASH]
    assert facts.data is not None
    assert facts.data["rows"] == 1000
    assert facts.search is not None
    assert len(facts.search.best_so_far) == 3
    assert (facts.search.trials[0]["number"],) == facts.search.chosen
    assert all(isinstance(trial["parameters"]["smoothing"], float | int) for trial in facts.search.trials)
    assert {one.name for one in facts.features} == {*facts.data["numeric"], *facts.data["categorical"]}
    told = path.read_text()
    assert "duration of the loan, in months" in told
    assert "NOT JUDGED" in told
    assert f"thinfile replay run={version.run_id}" in told


def test_the_page_is_made_from_the_json_alone() -> None:
    for facts in (full_facts(), bare_facts(), hostile_facts()):
        content = content_of(facts)
        assert page_of(json.loads(json.dumps(content))) == document(facts)


def test_every_measure_of_a_feature_is_on_the_page() -> None:
    told = _text(document(full_facts()))
    for feature in full_facts().evidence["features"]["features"]:  # type: ignore[index]
        for figure in (f"{feature['information_value']:.3f}", f"{feature['gini']:.3f}", f"{feature['psi']:.3f}"):
            assert figure in told, (feature["feature"], figure)
        for one in feature["bins"]:
            assert one["bin"] in told
    for text in ("identifier", "'EUR' in every row", "equal to principal", "possible leak: AUC 0.981 on its own"):
        assert text in told


def test_the_directions_of_a_feature_are_those_declared_in_the_data_and_in_the_model() -> None:
    features = {one["name"]: one for one in content_of(full_facts())["features"]}
    assert features["term"]["declared_direction"] == "riskier"
    assert features["orders_90"]["declared_direction"] is None
    assert features["orders_90"]["expected_direction"] == "safer"
    assert features["orders_90"]["measures"]["direction_in_model"] == "both"


def test_judgements_of_others_on_the_same_test_part_are_listed_and_no_exception_is_claimed() -> None:
    # given: a refusal of version 2 on the same applications, and one on others
    elsewhere = REFUSED | {"sequence": 7, "version": 4, "test_part": "other"}
    facts = full_facts(entries=(*ENTRIES, REFUSED, elsewhere))
    judgements = content_of(facts)["judgements"]
    assert [(one["entry"], one["version"], one["decision"]) for one in judgements] == [
        (2, 3, "requested"),
        (6, 2, "refused"),
    ]
    assert judgements[1]["failed"] == [
        {"gate": "discrimination", "sentence": "AUC 0.5500; required: at least 0.6"},
    ]
    assert [gate["gate"] for gate in judgements[0]["warned"]] == ["impact ratio"]
    told = _text(document(facts))
    assert "2 judgements, 1 refusal" in told
    # then: what did not block is a warning, and the word exception is only in the sentence that there is none
    assert "The ledger has no exception for this version" in told
    assert len(re.findall(r"exception", told, re.IGNORECASE)) == len(
        re.findall(r"exception", _text(document(full_facts())), re.IGNORECASE)
    )


def test_an_exception_is_named_where_the_ledger_has_one() -> None:
    granted = {"sequence": 6, "decision": "exception", "version": 3, "policy_name": "refresh", "by": "aiko"}
    exception = {"policy_name": "us_lending", "granted": 6, "by": "aiko"}
    entries = (*ENTRIES[:1], ENTRIES[1] | {"exception": exception}, granted)
    facts = full_facts(entries=tuple({"written_at": "", "why": "season"} | one for one in entries))
    content = content_of(facts)
    assert content["exceptions"][0] | {"why": ""} == {
        "entry": 6, "version": 3, "policy": "refresh", "by": "aiko", "authenticated": False, "why": "",
    }  # fmt: skip
    assert "in place of 'us_lending', the policy of the model; signed by aiko, entry 6" in _text(document(facts))


def test_what_was_not_measured_is_listed_with_its_reason() -> None:
    whole = full_facts().evidence
    assert whole is not None
    # given: a gate without an answer, no champion, ages without bands, and a check that was not made
    gate = {"gate": "outcome maturity", "answer": "not measured", "passed": False, "sentence": "no outcome dates"}
    parts = {"swap_set": None, "ungrouped": {"years": "years has 60 different numbers and no bands"}}
    leak = {"kind": "single_feature", "unchecked": ["dates"]}
    evidence = whole | parts | {"gates": [gate], "about": whole["about"] | {"champion": None}, "leak": leak}
    listed = {one["what"]: one["why"] for one in not_measured_of(full_facts(evidence=evidence))}
    assert listed["gate “outcome maturity”"] == "no outcome dates"
    assert listed["the swap set: newly approved and newly declined applications"] == (
        "there was no champion to compare with"
    )
    assert listed["groups of a protected attribute"] == "years has 60 different numbers and no bands"
    assert "leaks: dates" in listed
    assert not_measured_of(bare_facts()) == [
        {"what": "everything that a promotion request measures", "why": "no promotion was requested"}
    ]


def test_bands_add_up_to_the_test_part() -> None:
    facts = full_facts()
    bands = content_of(facts)["bands"]
    assert [one["band"] for one in bands] == ["350-549", "550-599", "600-649", "650-699", "700-950"]
    assert sum(one["rows"] for one in bands) == facts.evidence["about"]["rows"]  # type: ignore[index]
    assert sum(one["bad"] for one in bands) == facts.evidence["about"]["bad"]  # type: ignore[index]
    assert sum(one["share"] for one in bands) == pytest.approx(1)
    rates = [one["mean_pd"] for one in bands]
    assert rates == sorted(rates, reverse=True)
    assert all(one["low"] <= one["bad_rate"] <= one["high"] for one in bands)


def _text(page: str) -> str:
    """Return the text of a page without tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_a_ledger_without_signers_is_called_unsigned() -> None:
    signers = {"sequence": 7, "written_at": "", "decision": "signers", "by": "lee"}
    assert "Unsigned: the ledger has no signers" in _text(document(full_facts())).replace(" :", ":").replace("  ", " ")
    assert "Unsigned:" not in document(full_facts(entries=(*ENTRIES, signers)))
    assert "Unsigned:" not in document(bare_facts())


@pytest.mark.parametrize("change", ["removed", "figure", "hash", "both"])
def test_a_changed_json_is_found(book: Book, change: str) -> None:
    version = book.version(1)
    page = write_document(book.store, version, [])
    beside = page.with_name(DOCUMENT_JSON)
    assert document_findings(book.store, version) == []
    # when
    if change == "removed":
        beside.unlink()
    else:
        record = json.loads(beside.read_text())
        record["family" if change != "hash" else "content_hash"] = "another"
        if change == "both":
            del record["content_hash"]
            record |= {"content_hash": fingerprint_record(record)}
        beside.write_text(json.dumps(record))
    # then
    (finding,) = document_findings(book.store, version)
    assert finding.startswith(f"its {DOCUMENT_JSON} {'is missing' if change == 'removed' else 'was changed'}; ")


def test_the_page_of_an_earlier_version_needs_no_json(book: Book) -> None:
    version = book.version(1)
    page = write_document(book.store, version, [])
    page.with_name(DOCUMENT_JSON).unlink()
    page.write_text(sealed("<html>a page without the hash of its content</html>"))
    assert document_findings(book.store, version) == []


def test_the_bias_of_selection_is_told_in_figures() -> None:
    told = _text(document(full_facts()))
    for figure in ("13,010 approved, 6,210 declined (32.3%)", "AUC 0.741", "0.58 to 1.86", "310 declined applications"):
        assert figure in told
    whole = full_facts().evidence
    assert whole is not None
    few = full_facts(evidence=whole | {"selection": {"why": "too few declined"}, "reasons": {"sampled": 0}})
    assert "the bias of training on approved applications only (too few declined)" in _text(document(few))
    listed = {one["what"]: one["why"] for one in not_measured_of(few)}
    assert listed["the bias of training on approved applications only"] == "too few declined"
    assert "no applicant was declined" in listed["fidelity and stability of the reasons given to applicants"]
