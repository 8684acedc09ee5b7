"""A request is decoded as JSON says, or refused by the field that breaks its rule."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from pipelines.reading.column_types import ColumnType
from pipelines.reading.contract import ReadingContract
from pipelines.reading.reading import Reading
from pipelines.reading.values import Kind
from pipelines.serving.feature_type import FeatureType
from pipelines.serving.refusal import Refusal
from pipelines.serving.request_contract import RequestContract

NUMBER, TEXT = FeatureType(True), FeatureType(False)
CONTRACT = RequestContract(["income", "debt.ratio"], ["channel"], {"extra": NUMBER, "note": TEXT, "income": TEXT})
FEATURES: dict[str, Any] = {"income": 1, "debt.ratio": None, "channel": "app"}


def request(**changed: Any) -> dict[str, Any]:
    return {"application_id": "A1", "features": FEATURES | changed}


def refusal(body: Any) -> Refusal:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Refusal) as found:
        CONTRACT.decode(data, most=3)
    msgspec.json.decode(found.value.body("id"))
    return found.value


def test_values_become_columns_as_they_were_sent() -> None:
    sent = [request(income=-0.1), {**request(channel=None), "application_id": "A2", "customer_id": "C"}]
    found, is_batch = CONTRACT.decode(json.dumps(sent).encode(), most=3)
    assert is_batch
    columns = CONTRACT.columns([one.features for one in found])
    np.testing.assert_array_equal(columns["income"], [-0.1, 1.0])
    np.testing.assert_array_equal(columns["debt.ratio"], [np.nan, np.nan])
    assert columns["channel"].tolist() == ["app", None]
    assert [one.customer_id for one in found] == [None, "C"]
    one, is_batch = CONTRACT.decode(json.dumps(sent[0]).encode(), most=3)
    assert (not is_batch, CONTRACT.columns([one[0].features])["income"].tolist()) == (True, [-0.1])


def test_an_empty_text_is_missing_as_in_every_table() -> None:
    found, _ = CONTRACT.decode(json.dumps(request(channel="")).encode(), most=3)
    assert CONTRACT.columns([one.features for one in found])["channel"].tolist() == [None]


def test_the_same_values_have_one_spelling_whatever_their_order() -> None:
    turned = {"features": dict(reversed(FEATURES.items())) | {"income": 1.0}, "application_id": "A1"}
    as_texts = request(income="1.0", **{"debt.ratio": ""})
    one, *others = (CONTRACT.decode(json.dumps(body).encode(), 1)[0][0] for body in (request(), turned, as_texts))
    assert {msgspec.json.encode(one.features)} == {msgspec.json.encode(other.features) for other in others}
    assert msgspec.json.encode(one.features) == b'{"channel":"app","debt.ratio":null,"income":1.0}'


@pytest.mark.parametrize("token", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 400])
def test_what_is_not_finite_is_refused_by_its_field(token: bytes) -> None:
    body = json.dumps([request(), request(income="HERE")]).encode().replace(b'"HERE"', token)
    found = refusal(body)
    assert (found.status, found.field, found.rule) == (422, "[1].features.income", "Numbers must be finite")


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"income": "twelve"}, "features.income", "a number or null"),
        ({"income": "1e999"}, "features.income", "must be finite"),
        ({"income": True}, "features.income", "a number or null"),
        ({"income": [1]}, "features.income", "a number or null"),
        ({"channel": ["app"]}, "features.channel", "text or null"),
        ({"channel": {"name": "app"}}, "features.channel", "text or null"),
        ({"channel": "x" * 257}, "features.channel", "at most 256"),
        ({"extra": "one"}, "features.extra", "a number or null"),
        ({"incom": 3}, "features.incom", "Unknown field"),
    ],
)
def test_a_feature_that_breaks_its_rule_is_named(changed: dict[str, Any], field: str, rule: str) -> None:
    found = refusal(request(**changed))
    assert (found.status, found.field) == (422, field)
    assert rule in found.rule


def test_an_unknown_field_is_told_the_nearest_known_one() -> None:
    assert "did you mean income" in refusal(request(incom=3)).next_step
    assert "did you mean customer_id" in refusal(request() | {"custmer_id": "C"}).next_step


def test_a_feature_that_is_left_out_is_no_missing_value() -> None:
    found = refusal({"application_id": "A1", "features": {"income": 1}})
    assert (found.field, found.received) == ("features.debt.ratio", "no debt.ratio, channel")
    assert "null" in found.next_step


@pytest.mark.parametrize("identity", ["", "x" * 129, "a\nb", "a\x7f", 7, None, ["A"]])
def test_an_id_is_plain_text(identity: Any) -> None:
    assert refusal(request() | {"application_id": identity}).field == "application_id"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'\xef\xbb\xbf{"application_id": "A"}', 422),
        (json.dumps(request()).encode("utf-16"), 400),
        (json.dumps(request(channel="\ud800")).encode(), 422),
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"application_id": "\\ud800", "features": {}}', 422),
        (b'{"\\ud800": 1}', 422),
        (b"null", 422),
        (b"3", 422),
        (b"[]", 422),
        (b"[[]]", 422),
        (b'{"application_id": "A", "features": []}', 422),
    ],
)
def test_other_bodies_are_refused(body: bytes, status: int) -> None:
    found = refusal(body)
    assert found.status == status
    assert "codec" not in found.rule


def test_a_batch_is_not_too_large_and_holds_no_application_twice() -> None:
    many = [{**request(), "application_id": f"A{row}"} for row in range(4)]
    assert "from 1 to 3" in refusal(many).rule
    assert refusal([many[0], many[0]]).field == "[1].application_id"


def test_optional_features_may_come_and_a_feature_of_the_model_keeps_its_kind() -> None:
    found, _ = CONTRACT.decode(json.dumps(request(extra=2, note=None)).encode(), 1)
    assert msgspec.json.decode(msgspec.json.encode(found[0].features)) == FEATURES | {"extra": 2.0, "note": None}


@pytest.mark.parametrize("value", [0, -1, 1.5, "3", True, 1e30, [1], 10**13])
@pytest.mark.parametrize("name", ["amount", "term"])
def test_amount_and_term_are_whole(name: str, value: Any) -> None:
    assert refusal(request() | {name: value}).field == name
    CONTRACT.decode(json.dumps(request() | {name: 12.0}).encode(), 1)


def test_a_number_with_special_codes_is_sent_as_it_is_and_split_for_the_model() -> None:
    reading = ReadingContract(reading=Reading(special={"months": ("-9",)}))
    contract = RequestContract(["months"], ["city", "months (code)"], {}, contract=reading)
    assert contract.names == ["city", "months"]
    bodies = [f'{{"application_id": "A{value}", "features": {{"city": "x", "months": {value}}}}}' for value in (-9, 4)]
    applications, _ = contract.decode(f"[{', '.join(bodies)}]".encode(), 10)
    columns = contract.columns([one.features for one in applications])
    assert np.isnan(columns["months"]).tolist() == [True, False]
    assert columns["months (code)"].tolist() == ["-9", "an amount"]


def test_a_flag_is_true_or_1_and_declared_words_are_missing() -> None:
    flag = ColumnType(Kind.flag, "values are true and false")
    contract = RequestContract(
        ["owner", "income"], ["city"], {}, contract=ReadingContract({"owner": flag}, Reading(nulls=("NA",)))
    )
    bodies = [
        f'{{"application_id": "A{place}", "features": {{"owner": {owner}, "income": 1, "city": "{city}"}}}}'
        for place, (owner, city) in enumerate((("true", "NA"), ("1", "x"), ("false", "x"), ("null", "x")))
    ]
    applications, _ = contract.decode(f"[{', '.join(bodies)}]".encode(), 10)
    columns = contract.columns([one.features for one in applications])
    np.testing.assert_array_equal(columns["owner"], [1, 1, 0, np.nan])
    assert columns["city"].tolist() == [None, "x", "x", "x"]
    with pytest.raises(Refusal, match="must be a number"):
        contract.decode(bodies[0].replace('"income": 1', '"income": true').encode(), 10)
