"""Facts as a promotion on a simulated marketplace leaves them, in the form of the evidence record, and hardly any."""

from itertools import pairwise
from typing import Any

import numpy as np

from experiments.document import DocumentFacts, FeatureFact, SearchFacts
from experiments.evidence.evaluation import separation
from experiments.evidence.score_bands import score_bands
from pipelines.credit.points import PointsScale, points
from pipelines.credit.profit import Economics, profit
from pipelines.policy.pack import ApprovalSettings, FairnessSettings, PolicySettings, ReasonSettings
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.json_values import to_json_values

HOSTILE = "<script>console.error('ran')</script>&\"'"

POLICY = PolicySettings(
    name="us_lending",
    fairness=FairnessSettings(lowest_impact_ratio=0.8, largest_mean_difference=0.5),
    reasons=ReasonSettings(opening="Declined because of", notice="You may ask us to look at it again."),
    approvals=ApprovalSettings(people=2, requester_may_approve=False, signed=True),
)

FEATURES = (
    ("orders_90", "number of orders in the last 90 days", "frequency", "safer", 0.0),
    ("spent_365", "amount spent in the last 365 days", "amount", "safer", 0.0),
    ("mean_order_90", "mean order amount in the last 90 days", "amount", "unknown", 0.081),
    ("returned_share_180", "share of orders returned in the last 180 days", "returns", "riskier", 0.052),
    ("night_share_90", "share of orders placed at night in the last 90 days", "timing", "riskier", 0.081),
    ("days_since_last_order", "days since the last order", "recency", "riskier", 0.021),
    ("days_since_registration", "days since registration", "tenure", "safer", 0.0),
    ("late_share_365", "share of instalments unpaid at their due date", "instalments", "riskier", 0.412),
    ("overdue", "amount overdue", "instalments", "riskier", 0.0),
    ("owed", "amount owed on earlier loans", "instalments", "riskier", 0.0),
    ("principal", "amount to be financed", "application", "unknown", 0.0),
    ("term", "term in months", "application", "riskier", 0.0),
    ("basket_category", "category of the financed order", "application", "unknown", 0.003),
)


def full_facts(**changed: Any) -> DocumentFacts:
    """Everything is known: judged against a champion, refused once, asked for again, approved and promoted."""
    told: dict[str, Any] = {
        "model": "instalment_score",
        "version": 3,
        "family": "catboost",
        "registered_at": "2026-10-02T16:20:11+00:00",
        "run_id": "5b0d7c1e9a1f4f2b8a4e6d0c3b2a1908",
        "model_hash": "9f3c" * 16,
        "purpose": "Decides on instalment applications of the marketplace, for loans of 3 to 24 months.",
        "settings": SETTINGS,
        "data": DATA,
        "prepared": PREPARED,
        "provenance": PROVENANCE,
        "features": tuple(FeatureFact(name, "numeric", *rest) for name, *rest in FEATURES),
        "search": SEARCH,
        "evidence": full_evidence(),
        "entries": ENTRIES,
    }
    return DocumentFacts(**told | changed)


def bare_facts() -> DocumentFacts:
    """A version from elsewhere that nobody has judged."""
    return DocumentFacts("credit_score", 1, "from elsewhere", "2026-10-02T16:20:11+00:00")


def hostile_facts() -> DocumentFacts:
    """Every text that people write is an attempt to run a script."""
    entry = {"sequence": 1, "written_at": HOSTILE, "decision": HOSTILE, "version": 3, "by": HOSTILE, "why": HOSTILE}
    evidence = full_evidence() | {"gates": [{"gate": HOSTILE, "passed": False, "bound": HOSTILE, "sentence": HOSTILE}]}
    features = (FeatureFact(HOSTILE, "numeric", HOSTILE, HOSTILE, HOSTILE, 0.5),)
    fairness = [one | {"attribute": HOSTILE, "level": HOSTILE} for one in evidence["fairness"]]
    vintages = [one | {"vintage": HOSTILE} for one in evidence["vintages"]]
    return full_facts(
        model=HOSTILE,
        purpose=HOSTILE,
        settings=SETTINGS | {HOSTILE: HOSTILE},
        evidence=evidence | {"fairness": fairness, "vintages": vintages},
        entries=(entry,),
        features=features,
    )


def full_evidence() -> dict[str, Any]:
    """An evidence record in which every part is there, its figures taken from applications drawn at random."""
    generator = np.random.default_rng(0)
    log_odds = generator.normal(-2.9, 1.2, 6000)
    probability = 1 / (1 + np.exp(-log_odds))
    bad = (generator.random(6000) < probability).astype(np.int8)
    told = points(probability, PointsScale())
    record: dict[str, Any] = {
        "schema": 1,
        "about": _about(len(bad), int(bad.sum())),
        "measures": {"rows": len(bad), "bad": int(bad.sum()), "measures": MEASURES, "curve": _curve(probability, bad)},
        "separation": separation(bad, told),
        "segments": [_segment("channel", level, rows) for level, rows in (("app", 3804), ("web", 1830), ("store", 44))],
        "vintages": [_vintage(month) for month in range(1, 9)],
        "development": {
            "psi": 0.021,
            "bins": _bins(told),
            "first": "2023-04-01T00:00:00",
            "last": "2024-11-30T00:00:00",
        },
        "ranking": {"resamples": 20, "spearman_median": 0.964, "spearman_low": 0.941},
        "bands": score_bands(bad, probability, probability, POLICY),
        "points": {"rows": len(bad), "at_lowest": 3, "at_highest": 0},
        "features": {
            "importance_is": "mean contribution in log-odds, sign left out",
            "features": [_measured(place, *feature) for place, feature in enumerate(FEATURES)],
            "correlations": _correlations(),
        },
        "left_out": [
            {"column": "application_id", "why": "identifier"},
            {"column": "currency", "why": "'EUR' in every row"},
            {"column": "principal_copy", "why": "equal to principal"},
            {"column": "paid_late_since", "why": "possible leak: AUC 0.981 on its own"},
        ],
        "cutoffs": [_cutoff(probability, bad, told, cutoff) for cutoff in range(450, 760, 25)],
        "swap_set": SWAP_SET,
        "fairness": FAIRNESS,
        "monotonicity": MONOTONICITY,
        "reasons": {
            "sampled": 1000,
            "fidelity": 0.987,
            "stability": 0.931,
            "groups": [
                {"group": "payments on earlier instalments", "share": 0.41, "first": 0.7, "of_reasons": 0.65},
                {"group": "orders", "share": 0.22, "first": 0.3, "of_reasons": 0.35},
            ],
        },
        "timing": {"rows": 100000, "rows_per_second": 412000, "one_row_ms": 3.2},
        "twins": {"rows": 0, "kinds": "", "across": 0, "test_rows": 4210},
        "leak": {"kind": "recomputed", "sampled": 1000, "differing": {}, "telling": {}, "waived": []},
        "selection": SELECTION,
        "tried_before": 3,
        "difference": {"auc": 0.0121, "low": 0.0022, "high": 0.0220, "p": 0.008, "alpha": 0.0127},
        "gates": GATES,
    }
    return record | {"evidence_hash": fingerprint_record(record)}


def _measured(place: int, name: str, meaning: str, group: str, direction: str, missing: float) -> dict[str, Any]:
    """Return the measures of one feature as a boosted model has them."""
    is_number = name != "basket_category"
    labels = (
        ["missing", "up to 2", "2 to 5", "5 to 9", "above 9"] if is_number else ["missing or new", "shoes", "books"]
    )
    counts = [round(13000 * missing)] + [round(13000 * (1 - missing) / (len(labels) - 1))] * (len(labels) - 1)
    bins = [
        {
            "bin": label,
            "rows": rows,
            "bad": round(rows * (0.06 + 0.02 * step)),
            "weight_of_evidence": -0.4 + 0.25 * step,
            "test_rows": rows // 2,
            "points": None,
            "mean_pd": 0.05 + 0.01 * step,
        }
        for step, (label, rows) in enumerate(zip(labels, counts, strict=True))
    ]
    return {
        "feature": name,
        "importance": 0.42 / (1 + place),
        "gini": 0.31 / (1 + place),
        "kind": "numeric" if is_number else "categorical",
        "information_value": 0.28 / (1 + place),
        "psi": 0.004 * place,
        "psi_noise": 0.003,
        "missing": {"development": missing, "test": missing + 0.01},
        "range": [1.0, 24.0] if is_number else None,
        "direction_in_data": direction.replace("unknown", "none") if is_number else None,
        "direction_in_model": "both" if is_number else None,
        "effect": "mean PD",
        "bins": bins,
        "strongest_correlation": {"feature": "owed" if name != "owed" else "overdue", "value": -0.41},
    }


def _correlations() -> dict[str, Any]:
    names = [name for name, *_ in FEATURES]
    generator = np.random.default_rng(2)
    return {"features": names, "values": np.corrcoef(generator.normal(size=(len(names), 9))).round(3).tolist()}


def _about(rows: int, bad: int) -> dict[str, Any]:
    return {
        "model": "instalment_score",
        "version": 3,
        "model_hash": "9f3c" * 16,
        "family": "catboost",
        "champion": {"version": 1, "model_hash": "77aa" * 16},
        "data": DATA["fingerprint"],
        "test_part": "0f11" * 16,
        "rows": rows,
        "bad": bad,
        "development_rows": 13010,
        "first": "2025-01-01",
        "last": "2025-08-31",
        "made_at": "2026-10-03T08:15:30.123+00:00",
        "policy_hash": "beef" * 16,
        "policy": to_json_values(POLICY),
        "seed": 0,
        "training_rows": "recorded",
        "claim": "superior",
    }


def _estimate(value: float, reach: float) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


MEASURES = {
    "auc": _estimate(0.768, 0.018),
    "gini": _estimate(0.536, 0.036),
    "ks": _estimate(0.402, 0.031),
    "h_measure": _estimate(0.231, 0.022),
    "brier": _estimate(0.0701, 0.0051),
    "log_loss": _estimate(0.2512, 0.0141),
    "expected_calibration_error": _estimate(0.0061, 0.0031),
    "calibration_slope": _estimate(1.012, 0.081),
    "calibration_intercept": _estimate(-0.021, 0.094),
    "expected_to_observed": _estimate(1.018, 0.081),
}


def _curve(probability: np.ndarray, bad: np.ndarray) -> list[dict[str, float]]:
    curve = []
    for rows in np.array_split(np.argsort(probability), 10):
        rate = float(bad[rows].mean())
        reach = 1.96 * float(np.sqrt(rate * (1 - rate) / len(rows))) + 0.003
        predicted = float(probability[rows].mean())
        ends = {"low": max(rate - reach, 0.0), "high": rate + reach}
        curve.append({"rows": len(rows), "predicted": predicted, "observed": rate, **ends})
    return curve


def _segment(attribute: str, level: str, rows: int) -> dict[str, Any]:
    enough = rows > 100
    measures = {"auc": _estimate(0.75 + rows % 7 / 100, 60 / rows), "expected_to_observed": _estimate(0.97, 0.1)}
    about = {"attribute": attribute, "level": level, "rows": rows, "bad": rows // 12, "enough": enough}
    return about | {"measures": measures if enough else None}


def _vintage(month: int) -> dict[str, Any]:
    enough = month < 8
    measures = {"auc": _estimate(0.77 - month / 500, 0.03 + month % 3 / 100)}
    about = {"vintage": f"2025-{month:02d}", "rows": 760 if enough else 88, "bad": 61 if enough else 6}
    return about | {"enough": enough, "measures": measures if enough else None}


def _bins(told: np.ndarray) -> list[dict[str, Any]]:
    edges = np.quantile(told, np.arange(1, 10) / 10).round().astype(int).tolist()
    labels = [f"up to {edges[0]}", *(f"{low} to {high}" for low, high in pairwise(edges)), f"above {edges[-1]}"]
    shares = np.bincount(np.searchsorted(edges, told - 4), minlength=10) / len(told)
    bins = [{"label": "missing", "development": 0.0, "test": 0.0}]
    return bins + [
        {"label": label, "development": 0.1, "test": share}
        for label, share in zip(labels, shares.tolist(), strict=True)
    ]


def _cutoff(probability: np.ndarray, bad: np.ndarray, told: np.ndarray, cutoff: int) -> dict[str, Any]:
    approved = told >= cutoff
    rate = float(bad[approved].mean())
    paid = float(profit(bad[approved], np.ones(int(approved.sum())), Economics()).sum() / len(bad))
    return {
        "approve_from": cutoff,
        "is_policy": cutoff == 550,
        "approval_rate": float(approved.mean()),
        "bad_rate": rate,
        "bad_rate_low": rate * 0.85,
        "bad_rate_high": rate * 1.17 + 0.001,
        "profit": paid,
        "profit_low": paid - 0.0045,
        "profit_high": paid + 0.0045,
    }


def _swapped(rows: int, observed: int, rate: float, paid: float) -> dict[str, Any]:
    seen = {"rows": observed, "by_lot": 12, "bad": round(observed * rate), "bad_rate": rate, "low": rate - 0.03}
    seen |= {"high": rate + 0.03, "profit": paid, "profit_low": paid - 0.01, "profit_high": paid + 0.01}
    guess = {"rows": rows - observed, "bad_rate": rate * 1.1, "low": rate * 0.6, "high": rate * 1.8}
    guess |= {"profit": paid - 0.005, "profit_low": paid - 0.03, "profit_high": paid + 0.02}
    return {"rows": rows, "observed": seen, "inferred": guess}


SWAP_SET = {
    "asked": 8210,
    "agree_approved": 5320,
    "agree_declined": 1890,
    "newly_approved": _swapped(560, 210, 0.071, 0.021),
    "newly_declined": _swapped(440, 402, 0.182, -0.047),
    "observed_change": {"value": 0.0031, "low": 0.0009, "high": 0.0054},
    "inferred_change": {"value": 0.0008, "low": -0.0011, "high": 0.0024},
}


SELECTION = {
    "first": "2023-04-01T00:00:00",
    "last": "2024-11-30T00:00:00",
    "asked": 19220,
    "approved": 13010,
    "by_lot": 120,
    "declined": 6210,
    "declined_share": 0.323,
    "propensity_auc": 0.741,
    "psi": {"score": 0.31, "features": [{"feature": "late_share_365", "psi": 0.22}, {"feature": "owed", "psi": 0.1}]},
    "outside_support": {"lowest_propensity": 0.04, "rows": 310, "share_of_declined": 0.05},
    "mean_pd": {"approved": 0.071, "declined": 0.142, "outside_support": 0.21},
    "by_lot_outcomes": {
        "unseen": {"rows": 60, "bad": 9, "bad_rate": 0.15, "low": 0.08, "high": 0.26, "expected_rate": 0.14}
        | {"ratio": 1.07, "ratio_low": 0.58, "ratio_high": 1.86},
        "learnt_from": None,
    },
}


def _group(attribute: str, level: str, rows: int, approved: float, ratio: float, **rest: Any) -> dict[str, Any]:
    return {
        "attribute": attribute,
        "level": level,
        "rows": rows,
        "enough": rows >= 100,
        "approval_rate": approved,
        "low": approved - 0.03,
        "high": approved + 0.03,
        "impact_ratio": ratio,
        "ratio_low": ratio - 0.04,
        "ratio_high": ratio + 0.04,
        "mean_difference": -0.12,
        "expected_to_observed": 1.04,
        "eo_low": 0.9,
        "eo_high": 1.2,
        "approved_among_good": 0.86,
        "reference": False,
    } | rest


FAIRNESS = [
    _group("sex", "female", 3122, 0.842, 1.0, reference=True, mean_difference=0.0),
    _group("sex", "male", 2878, 0.801, 0.951),
    _group("age_band", "18-25", 1410, 0.731, 0.842, mean_difference=-0.31),
    _group("age_band", "26-40", 2840, 0.868, 1.0, reference=True, mean_difference=0.0),
    _group("age_band", "41-60", 1680, 0.829, 0.955),
    _group("age_band", "61+", 70, 0.8, 0.92),
    _group("sex x age_band", "male x 18-25", 690, 0.702, 0.791, mean_difference=-0.38),
    _group("sex x age_band", "female x 26-40", 1460, 0.888, 1.0, reference=True, mean_difference=0.0),
]


def _direction(feature: str, direction: str, share: float, largest: float) -> dict[str, Any]:
    checked = {"rows": 200, "share_violating": share, "largest": largest, "declared": False}
    return {"feature": feature, "expected": direction} | checked


MONOTONICITY = [
    _direction("orders_90", "safer", 0.031, 0.041),
    _direction("term", "riskier", 0.0, 0.0) | {"declared": True},
    _direction("returned_share_180", "riskier", 0.112, 0.213),
]

GATES = [
    {
        "gate": "enough bad applications",
        "passed": True,
        "blocking": True,
        "value": 526,
        "bound": "at least 30 bad in the test part",
        "sentence": "526 of 6,000 applications are bad",
    },
    {
        "gate": "discrimination",
        "passed": True,
        "blocking": True,
        "value": 0.768,
        "bound": "AUC at least 0.6",
        "sentence": "AUC 0.7680, 0.1680 above the floor of 0.6",
    },
    {
        "gate": "superior to the champion",
        "passed": True,
        "blocking": True,
        "value": 0.0022,
        "bound": "lower end of the AUC difference above 0",
        "sentence": "AUC +0.0121 against the champion (98.7% interval +0.0022 to +0.0220, paired DeLong, corrected for "
        "four challengers on one test part); proven better",
    },
    {
        "gate": "profit at the cut-off",
        "passed": True,
        "blocking": True,
        "value": 0.0009,
        "bound": "lower end at least −0.2% of the amount asked for",
        "sentence": "observed change +0.31% (+0.09% to +0.54%)",
    },
    {
        "gate": "impact ratio",
        "passed": False,
        "blocking": False,
        "value": 0.791,
        "bound": "at least 0.8 in every group of 100 or more",
        "sentence": "male x 18-25: 0.79 (0.75 to 0.83), 0.009 below",
    },
    {
        "gate": "leak",
        "passed": True,
        "blocking": True,
        "value": 0,
        "bound": "1,000 recomputed applications identical",
        "sentence": "13 features of 1,000 applications identical",
    },
]

SETTINGS: dict[str, Any] = {
    "data": {
        "source": "marketplace",
        "path": "/srv/thinfile/lake/marketplace/prepared/0123456789abcdef/applications/mature",
        "label": "bad",
        "bad": "1",
        "status": "status",
        "time": "applied_at",
        "outcome_known_at": "outcome_known_at",
        "amount": "principal",
    },
    "candidate": {
        "calibration": "logistic",
        "space": {},
        "parameters": {"iterations": 300, "depth": 6, "learning_rate": 0.05, "random_strength": 1.0},
        "family": "catboost",
    },
    "split": {"test": 0.3, "cutoff": "2025-01-01", "folds": 5},
    "policy": to_json_values(POLICY),
    "model": "instalment_score",
    "trials": 40,
    "seed": 0,
    "threads": 2,
}

DATA: dict[str, Any] = {
    "fingerprint": "c0de" * 16,
    "rows": 20110,
    "quarantined": {"amount must be above 0": 12},
    "numeric": [name for name, *_ in FEATURES[:-1]],
    "categorical": ["basket_category"],
    "protected": ["sex", "age_band"],
    "inferred": [],
    "split": "out of time at 2025-01-01, 13010 before for development, 6000 after for the test, 1100 under embargo; "
    "folds are too short for an embargo",
}

PREPARED: dict[str, Any] = {
    "identity": "0123456789abcdef",
    "configuration": {
        "raw": {"folder": "/srv/thinfile/lake/simulated"},
        "loan": {
            "bad": {"days_past_due": 90, "window_months": 12, "first_instalment_only": False},
            "as_of": "2026-10-01",
            "feature_lag_days": 0,
        },
    },
    "tables": {
        "customers": {"rows": 100000, "clean": 100000, "quarantined": {}},
        "orders": {"rows": 2310441, "clean": 2310398, "quarantined": {"amount must be above 0": 43}},
        "applications": {"rows": 31020, "clean": 31008, "quarantined": {"term must be known": 12}},
        "instalments": {"rows": 148220, "clean": 148220, "quarantined": {}},
    },
    "applications": {
        "declined": 6210,
        "not_taken_up": 411,
        "fraud": 37,
        "refunded": 120,
        "immature": 4120,
        "mature": 20110,
    },
    "bad": 1622,
    "first": "2023-04-01",
    "last": "2025-08-31",
}

PROVENANCE = {
    "git_commit": "fd9487f0c1d2e3f4a5b60718293a4b5c6d7e8f90+",
    "python": "3.13.1",
    "packages": {"catboost": "1.2.10", "mlflow": "3.17.2", "numpy": "2.4.1", "optuna": "5.0.0"},
    "platform": "Linux-6.12-x86_64",
    "machine": "x86_64",
    "cores": 8,
    "threads": 2,
    "command": "thinfile tune data=marketplace",
}

_COURSE = np.maximum.accumulate(0.741 + 0.02 * np.random.default_rng(1).beta(2, 3, 40))

SEARCH = SearchFacts(
    study="a1b2c3d4e5f60718",
    chosen=(27,),
    made_from="Trial 27",
    cv_auc=float(_COURSE[-1]),
    best_so_far=tuple(_COURSE.tolist()),
    trials=tuple(
        {
            "number": number,
            "cv_auc": float(_COURSE[-1]) - loss,
            "parameters": {"iterations": 412 + number, "depth": 5, "learning_rate": 0.043, "l2_leaf_reg": 8.1},
        }
        for number, loss in ((27, 0.0), (31, 0.0004), (19, 0.0009), (38, 0.0011), (12, 0.0015))
    ),
)


def _judged_by(gates: list[dict[str, Any]], test_part: str = "0f11" * 16) -> dict[str, Any]:
    """Return what the ledger's entry of a judgement has of its evidence."""
    return {"test_part": test_part, "evidence": {"about": {"policy": to_json_values(POLICY)}, "gates": gates}}


REFUSED = {
    "sequence": 6,
    "written_at": "2026-10-05T09:00:00.000+00:00",
    "decision": "refused",
    "version": 2,
    "by": "lee",
    "why": "",
    "authenticated": False,
} | _judged_by([GATES[1] | {"passed": False, "answer": "failed", "sentence": "AUC 0.5500; required: at least 0.6"}])
"""A refusal of another version on the same test part."""

ENTRIES = (
    {
        "sequence": 1,
        "written_at": "2026-06-01T09:00:00.000+00:00",
        "decision": "promoted",
        "version": 1,
        "by": "lee",
        "why": "first champion",
        "authenticated": False,
    },
    {
        "sequence": 2,
        "written_at": "2026-10-03T08:15:30.123+00:00",
        "decision": "requested",
        "version": 3,
        "by": "mira",
        "why": "new season",
        "authenticated": False,
    }
    | _judged_by(GATES),
    {
        "sequence": 3,
        "written_at": "2026-10-03T10:41:02.001+00:00",
        "decision": "approved",
        "version": 3,
        "by": "jonas",
        "why": "swap set read, calibration in order",
        "authenticated": True,
    },
    {
        "sequence": 4,
        "written_at": "2026-10-04T07:02:44.871+00:00",
        "decision": "approved",
        "version": 3,
        "by": "aiko",
        "why": "",
        "authenticated": False,
    },
    {
        "sequence": 5,
        "written_at": "2026-10-04T07:30:00.000+00:00",
        "decision": "promoted",
        "version": 3,
        "by": "mira",
        "why": "",
        "authenticated": True,
    },
)
