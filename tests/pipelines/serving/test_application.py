"""One worker over HTTP: the answers are the model's, what is refused is told in one shape, and nothing leaks."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from pipelines.credit.points import band_labels
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.policy.offers import offer_of
from pipelines.policy.pack import Automation, PolicySettings, ReasonSettings
from pipelines.serving.decider import Decider
from pipelines.serving.keys import ApiKeys
from pipelines.serving.settings import LimitSettings, ServeSettings
from pipelines.storage.workspace import Workspace
from tests.pipelines.serving.conftest import Opened, applications, untouched

REFUSAL = {"rule", "received", "next_step", "field", "request_id"}
Talk = Callable[[httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture
def talk(client: Opened, served: ServeSettings) -> Callable[..., Any]:
    """Open a worker, talk to it, and return what was talked about."""

    def run(about: Talk, settings: ServeSettings = served, **changed: Any) -> Any:
        async def whole() -> Any:
            async with client(settings, **changed) as opened:
                return await about(opened)

        return asyncio.run(whole())

    return run


def test_answers_are_those_of_the_registered_model_to_the_last_bit(
    talk: Callable[..., Any], served: ServeSettings
) -> None:
    asked = applications(200)
    policy = PolicySettings(approve_from=560, reasons=ReasonSettings(opening="We are sorry:", notice="You may ask."))

    async def about(client: httpx.AsyncClient) -> Any:
        return (await client.post("/decisions", json=asked)).json()

    answers = talk(about, replace(served, policy=policy))
    store = ModelStore(Workspace.at(served.workspace))
    predictor = load_predictor(store, proven_champion(store, "credit_score"))
    frame = pd.DataFrame([one["features"] for one in asked])
    np.testing.assert_array_equal([one["pd"] for one in answers], predictor.probability_of_bad(frame))
    np.testing.assert_array_equal([one["raw_score"] for one in answers], predictor.log_odds(frame))
    assert [one["application_id"] for one in answers] == [one["application_id"] for one in asked]
    assert {one["decision"] for one in answers} == {"approved", "declined"}
    for one in answers:
        assert (one["decision"] == "approved") == (one["points"] >= 560)
        numbered = [f"{number}. {words}" for number, words in enumerate(one["reasons"], start=1)]
        expected = ["We are sorry:", *numbered, "You may ask."] if one["decision"] == "declined" else []
        assert one["notice"] == expected
        assert not one["reasons"] or one["decision"] == "declined"  # nothing may have raised the risk


def test_who_is_referred_gets_reasons_and_no_notice_of_a_decline(
    talk: Callable[..., Any], served: ServeSettings
) -> None:
    policy = PolicySettings(approve_from=950, automation=Automation.declines_are_referred)

    async def about(client: httpx.AsyncClient) -> Any:
        return (await client.post("/decisions", json=applications(2)[1])).json()

    answer = talk(about, replace(served, policy=policy))
    assert (answer["decision"], answer["notice"]) == ("referred", [])
    assert answer["reasons"]


def test_an_amount_gets_the_policys_offer_and_the_same_again(talk: Callable[..., Any], served: ServeSettings) -> None:
    policy = PolicySettings(approve_from=500)
    asked = [one | {"amount": 600_000, "term": 6.0} for one in applications(20)]

    async def about(client: httpx.AsyncClient) -> Any:
        first = (await client.post("/decisions", json=asked)).json()
        again = (await client.post("/decisions", json=asked)).json()
        other = await client.post("/decisions", json=asked[0] | {"amount": 600_001})
        return (
            first,
            again,
            other.status_code,
            (await client.post("/decisions", json=applications(1, prefix="B"))).json(),
        )

    first, again, other, (without,) = talk(about, replace(served, policy=policy))
    assert (first, other, without["offer"]) == (again, 409, None)
    bands = band_labels(policy.bands, policy.scale)
    for one in first:
        band, decision = bands.index(one["band"]), one["decision"]
        expected = offer_of(policy, decision=decision, band=band, pd=one["pd"], amount=600_000, asked_term=6)
        assert one["offer"] == json.loads(json.dumps(expected.told()))
    assert len({one["offer"]["outcome"] for one in first}) > 1


def test_an_application_is_decided_once_in_a_period(talk: Callable[..., Any]) -> None:
    one, other = applications(2)

    async def about(client: httpx.AsyncClient) -> Any:
        first = await client.post("/decisions", json=one)
        again = await client.post("/decisions", json=[other, one])
        changed = one | {"features": one["features"] | {"tenure": 77}}
        conflict = await client.post("/decisions", json=[{**other, "application_id": "new"}, changed])
        found = await client.get(f"/decisions/{first.json()['decision_id']}")
        nobody = await client.get(f"/decisions/{'0' * 32}")
        metrics = (await client.get("/metrics")).text
        return first, again, conflict, found, nobody, metrics

    first, again, conflict, found, nobody, metrics = talk(about)
    assert again.json()[1] == first.json()
    assert found.json() == untouched(first.json())
    assert (conflict.status_code, nobody.status_code) == (409, 404)
    assert first.json()["decision_id"] in conflict.json()["next_step"]
    assert "thinfile_repeated_total 1\n" in metrics
    assert "thinfile_journal_decisions 2\n" in metrics  # of the refused batch nothing was decided


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/decisions", {"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ("POST", "/decisions", {"content": b"{}"}, 415),
        ("POST", "/decisions", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ("POST", "/decisions", {"json": {}, "headers": {"content-encoding": "gzip"}}, 415),
        ("POST", "/decisions", {"json": {"application_id": "A", "features": {}}}, 422),
        ("POST", "/decisions", {"json": "x" * 2000}, 413),
        ("PUT", "/decisions", {"json": {}}, 405),
        ("DELETE", "/health", {}, 405),
        ("GET", "/decisions/x", {}, 404),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/decisions", {"headers": {"authorization": "Bearer nobody"}}, 405),
        ("GET", "/metrics", {"headers": {"authorization": "Bearer nobody"}}, 401),
    ],
)
def test_what_is_refused_is_told_in_one_shape(
    talk: Callable[..., Any], served: ServeSettings, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    async def about(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(method, path, **options)

    answer = talk(about, replace(served, limits=LimitSettings(most_bytes=1000)))
    assert (answer.status_code, set(answer.json())) == (status, REFUSAL)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert ("allow" in answer.headers) == (status == 405)


def test_a_body_in_pieces_is_bounded_too(talk: Callable[..., Any], served: ServeSettings) -> None:
    async def pieces() -> Any:
        for _ in range(50):
            yield b" " * 100

    async def about(client: httpx.AsyncClient) -> httpx.Response:
        headers = {"content-type": "application/json"}
        return await client.post("/decisions", content=pieces(), headers=headers)

    assert talk(about, replace(served, limits=LimitSettings(most_bytes=1000))).status_code == 413
    assert talk(about).status_code == 400


def test_with_a_key_only_its_holder_is_answered(talk: Callable[..., Any], served: ServeSettings) -> None:
    key = ApiKeys(Workspace.at(served.workspace).serving / "keys.json").create("checkout")

    async def about(client: httpx.AsyncClient) -> list[int]:
        shown = {"authorization": f"Bearer {key}"}
        one = applications(1)[0]
        answers = [
            await client.post("/decisions", json=one),
            await client.post("/decisions", json=one, headers={"authorization": f"Bearer {key}x"}),
            await client.post("/decisions", json=one, headers={"authorization": f"Basic {key}"}),
            await client.post("/decisions", json=one, headers=shown),
            await client.get("/metrics"),
            await client.get("/metrics", headers=shown),
            await client.get("/health"),
            await client.get("/openapi.json"),
        ]
        return [answer.status_code for answer in answers]

    assert talk(about) == [401, 401, 401, 200, 401, 200, 200, 200]


def test_a_key_is_bounded_in_decisions(talk: Callable[..., Any], served: ServeSettings) -> None:
    limits = LimitSettings(most_decisions=5, decisions_per_second=0.01)

    async def about(client: httpx.AsyncClient) -> list[httpx.Response]:
        batches = [applications(3, prefix="A"), applications(2, prefix="B"), applications(1, prefix="C")]
        return [await client.post("/decisions", json=one) for one in batches]

    first, second, third = talk(about, replace(served, limits=limits))
    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert int(third.headers["retry-after"]) > 90


def test_an_unexpected_error_shows_neither_trace_nor_data(
    talk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Decider, serving: object, asked: list[Any]) -> None:
        raise ValueError(f"cannot digest {asked[0].customer_id}")

    monkeypatch.setattr(Decider, "decide", fail)
    caplog.set_level(logging.DEBUG)

    async def about(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/decisions", json=applications(1)[0] | {"customer_id": "SECRET"})

    answer = talk(about)
    assert (answer.status_code, set(answer.json())) == (500, REFUSAL)
    assert "SECRET" not in answer.text + caplog.text
    assert "digest" not in answer.text + caplog.text
    assert answer.json()["request_id"] in caplog.text


def test_what_is_asked_does_not_reach_the_log(talk: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="pipelines")

    async def about(client: httpx.AsyncClient) -> None:
        one = applications(1)[0] | {"customer_id": "SECRET"}
        await client.post("/decisions", json=one)
        await client.post("/decisions", json=one | {"features": {"SECRET": 1}})
        await client.post("/decisions", json=one | {"features": one["features"] | {"tenure": 3}})

    talk(about)
    assert "SECRET" not in caplog.text


def test_a_disk_that_takes_nothing_is_told_and_nothing_is_decided(
    talk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    async def about(client: httpx.AsyncClient) -> list[int]:
        one, write = applications(1)[0], os.pwrite

        def full(*_: Any) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "pwrite", full)
        answers = [await client.post("/decisions", json=one), await client.get("/ready")]
        monkeypatch.setattr(os, "pwrite", write)
        answers += [await client.post("/decisions", json=one), await client.get("/ready")]
        return [answer.status_code for answer in answers]

    assert talk(about) == [503, 503, 200, 200]


def test_the_page_and_the_document_say_what_the_champion_reads(talk: Callable[..., Any]) -> None:
    async def about(client: httpx.AsyncClient) -> Any:
        told = (await client.get("/openapi.json")).json()
        example = told["paths"]["/decisions"]["post"]["requestBody"]["content"]["application/json"]["examples"]["one"]
        decided = await client.post("/decisions", json=example["value"])
        version = (await client.get("/version")).json()
        return told, decided.status_code, (await client.get("/")).text, version

    told, status, page, version = talk(about)
    schemas = told["components"]["schemas"]
    assert schemas["Application"]["properties"]["features"] == {"$ref": "#/components/schemas/Features"}
    features = schemas["Features"]
    assert sorted(features["properties"]) == ["channel", "city", "constant", "income", "tenure"]
    assert status == 200
    assert "/decisions/{decision_id}" in page
    assert "tenure" in page
    assert "http://" not in page
    assert "https://" not in page
    assert (version["model_version"], version["shadow"]) == (2, None)
    json.dumps(told, allow_nan=False)
