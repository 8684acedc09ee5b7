"""The limitations of a model, derived from the facts: each sentence appears only where it applies."""

from collections.abc import Iterator
from pathlib import Path

from experiments.document.decision import APPROVED
from experiments.document.facts import DocumentFacts, Record
from pipelines.charts.number_formats import percent
from pipelines.errors import listed

FEW_BAD = 100
"""With fewer bad applications an AUC's 95% interval is wider than about 0.1."""

MOST_NAMED = 6


def limitations_of(facts: DocumentFacts) -> list[str]:
    """Return the limitations, most serious first."""
    evidence = facts.evidence or {}
    return [
        *_of_the_judgement(facts, evidence),
        *_of_the_data(facts),
        *_of_time(facts),
        *_of_selection(facts, evidence),
        *_of_features(facts, evidence),
        *_of_groups(evidence),
        *_of_profit(facts, evidence),
        *_of_provenance(facts),
    ]


def _of_the_judgement(facts: DocumentFacts, evidence: Record) -> Iterator[str]:
    about = evidence.get("about") or {}
    if not evidence:
        yield "There is no evidence for a promotion: all figures were measured when the version was registered."
    elif about.get("champion") is None:
        yield "There was no champion to compare with: the gates show that the model is fit, not that it is better."
    if str(about.get("training_rows", "recorded")).startswith("unknown"):
        yield "The training rows are not recorded: the model may have been trained on the applications of its test."
    for version, how in (about.get("isolation") or {}).items():
        yield f"The code of {version} is that of another tool: it was judged by its answers alone, in a process {how}."
    bad = (evidence.get("measures") or facts.measured or {}).get("bad")
    if bad is not None and bad < FEW_BAD:
        yield f"The test part has only {bad} bad applications: read the intervals rather than the values."
    tried = evidence.get("tried_before") or 0
    if tried:
        yield (
            f"{tried} other challenger{'s were' if tried > 1 else ' was'} compared on the same test part before: the "
            "best of several looks better than it is. The paired test against the champion is corrected for this, the "
            "other figures are not."
        )
    unsigned = [e for e in facts.entries if e.get("version") == facts.version and e.get("decision") == APPROVED]
    unsigned = [entry for entry in unsigned if not entry.get("authenticated")]
    if unsigned:
        people = listed([str(entry.get("by")) for entry in unsigned], MOST_NAMED)
        yield f"{len(unsigned)} approval{'s are' if len(unsigned) > 1 else ' is'} not signed: {people}."


def _of_the_data(facts: DocumentFacts) -> Iterator[str]:
    source = ((facts.settings or {}).get("data") or {}).get("source")
    raw = (((facts.prepared or {}).get("configuration") or {}).get("raw") or {}).get("folder")
    if raw and Path(raw).name == "simulated":
        yield "The marketplace is simulated: no figure describes real shoppers."
    if source == "german_credit":
        yield "The applications are from one German bank, 1973 to 1975, sampled to contain 30% bad ones."
    quarantined = sum(((facts.data or {}).get("quarantined") or {}).values())
    if quarantined:
        yield f"{quarantined:,} rows broke their contract and were left out; whether they differ was not examined."


def _of_time(facts: DocumentFacts) -> Iterator[str]:
    data = (facts.settings or {}).get("data") or {}
    if facts.settings and not data.get("time"):
        yield (
            "The applications have no dates: the test part is a random sample of the same months as the development "
            "part. No figure shows how the model ages, and there are no vintages."
        )
    elif data.get("time") and not data.get("outcome_known_at") and not data.get("performance_months"):
        yield (
            "The table has no outcome dates: there is no embargo between development and test, and the model may have "
            "been trained on outcomes that were not known at the start of the test."
        )
    advice = str((facts.data or {}).get("split_advice") or "")
    if "without an embargo" in str((facts.data or {}).get("split", "")):
        yield (
            "The history is too short for an embargo between development and test: the model may have been trained on "
            f"outcomes that were not known at the start of the test{f' ({advice})' if advice else ''}."
        )
    elif advice:
        yield f"The history is short for the performance window: {advice}."
    sign = ((facts.evidence or {}).get("about") or {}).get("possible_immaturity")
    if sign:
        yield f"{sign[0].upper()}{sign[1:]}."
    split = str((facts.data or {}).get("split", ""))
    if "folds are too short for an embargo" in split or "folds have no room for it" in split:  # an earlier version's
        yield (
            "The folds of the search are too short for an embargo: its AUC is optimistic, and parameters may have been "
            "chosen on outcomes that were not known yet. The test part has its embargo."
        )
    immature = ((facts.prepared or {}).get("applications") or {}).get("immature") or 0
    if immature:
        as_of = str(((facts.prepared or {}).get("configuration") or {}).get("loan", {}).get("as_of", ""))[:10]
        yield f"{immature:,} loans were immature on {as_of} and were left out: the latest months are not covered."


def _of_selection(facts: DocumentFacts, evidence: Record) -> Iterator[str]:
    declined = ((facts.prepared or {}).get("applications") or {}).get("declined") or 0
    if declined:
        yield f"{declined:,} applications were declined by the earlier policy; their outcomes are unknown."
    if not evidence.get("selection"):
        yield "The bias of training on approved applications only was not measured."


def _of_features(facts: DocumentFacts, evidence: Record) -> Iterator[str]:
    against = [one for one in evidence.get("monotonicity") or [] if one.get("share_violating")]
    if against:
        worst = sorted(against, key=lambda one: -one["share_violating"])
        names = listed([f"{one['feature']} ({percent(one['share_violating'], 0)})" for one in worst], MOST_NAMED)
        yield (
            f"For {len(against)} feature{'s' * (len(against) > 1)} the score moves against the declared or expected "
            f"direction in some applications: {names}."
        )
    leak = evidence.get("leak") or {}
    if evidence and leak.get("kind") != "recomputed":
        yield (
            "Features could not be recomputed from the data known at the observation time: the leak gate tested each "
            "feature on its own."
        )
    if leak.get("waived"):
        yield f"The leak gate was waived for {listed(list(leak['waived']), MOST_NAMED)}."
    without_meaning = [one.name for one in facts.features if not one.meaning]
    if without_meaning:
        yield (
            f"{len(without_meaning)} of {len(facts.features)} features have no recorded meaning: "
            f"{listed(without_meaning, MOST_NAMED)}."
        )
    if evidence and not evidence.get("reasons"):
        yield "Whether the stated reasons move the score as claimed was not tested."


def _of_groups(evidence: Record) -> Iterator[str]:
    if evidence and not evidence.get("fairness"):
        yield "Fairness was not measured: the data has no protected attribute."
    for key, title in (("fairness", "protected groups"), ("segments", "segments"), ("vintages", "vintages")):
        rows = evidence.get(key) or []
        small = [one for one in rows if not one.get("enough")]
        if small:
            are = "is" if len(small) == 1 else "are"
            names = listed([_name_of(one) for one in small], MOST_NAMED)
            yield f"{len(small)} of {len(rows)} {title} {are} too small to evaluate: {names}."


def _of_profit(facts: DocumentFacts, evidence: Record) -> Iterator[str]:
    if not evidence.get("cutoffs"):
        return
    yield "Margin, funding cost and loss given default are assumptions of the policy; all profits depend on them."
    if not ((facts.settings or {}).get("data") or {}).get("amount"):
        yield "The data has no amounts: every application counts as one in the profits."


def _of_provenance(facts: DocumentFacts) -> Iterator[str]:
    if facts.provenance is None:
        yield "The training of the model is not recorded: the model cannot be replayed."
        return
    commit = str(facts.provenance.get("git_commit", "unknown"))
    if commit == "unknown":
        yield "The commit of the code is not recorded: it ran from an installed package."
    elif commit.endswith("+"):
        yield f"The code had uncommitted changes to {commit[:12]} when the model was trained."


def _name_of(row: Record) -> str:
    return str(row["vintage"]) if "vintage" in row else f"{row['attribute']} {row['level']}"
