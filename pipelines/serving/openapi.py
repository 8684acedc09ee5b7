"""The OpenAPI document of the service as it is now: the champion's features are its fields."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pipelines.command.provenance import own_version
from pipelines.serving.champion import Serving
from pipelines.serving.decider import ID_DIGITS, Decision, StandingDecision
from pipelines.serving.refusal import RefusalBody
from pipelines.serving.settings import LimitSettings

Document = dict[str, Any]

_SCHEMAS = "#/components/schemas/"

_MEANINGS = {
    400: "The request body is not valid JSON",
    401: "Missing, unknown or revoked API key",
    404: "Unknown decision or customer",
    405: "Method not allowed",
    408: "The body did not arrive in time",
    409: "The application was already decided in this period on other values, or the book is too old",
    413: "The body is too large",
    415: "The body is not sent as JSON, or is compressed",
    422: "A field is invalid; `field` names it",
    429: "Rate limit of the API key exceeded",
    500: "An unexpected error; `request_id` finds it in the service's log",
    503: "The decision cannot be stored now",
}


def document(serving: Serving, limits: LimitSettings) -> Document:
    """Return the document as JSON values, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Thinfile decisions",
            "version": own_version(),
            "description": f"Decisions on applications for credit by {serving.model} version {serving.version}.",
        },
        "paths": {
            "/decisions": {"post": _decide(serving, limits)},
            "/decisions/{decision_id}": {"get": _decision()},
            "/health": {"get": _plain("The process lives", {"status": {"const": "ok"}})},
            "/ready": {
                "get": _plain(
                    "The service answers",
                    {"status": {"const": "ready"}, "model_version": {"type": "integer"}},
                    503,
                )
            },
            "/version": {"get": _plain("Versions of the package, model and policy", None)},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": _schemas(serving),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key"}},
        },
    }


def _decide(serving: Serving, limits: LimitSettings) -> Document:
    one, answer = {"$ref": f"{_SCHEMAS}Application"}, {"$ref": f"{_SCHEMAS}Decision"}
    forms = [one, {"$ref": f"{_SCHEMAS}ApplicationOfCustomer"}] if serving.contract.by_customer else [one]
    item = one if len(forms) == 1 else {"oneOf": forms}
    several = {"type": "array", "items": item, "minItems": 1, "maxItems": limits.most_decisions}
    example = _example(serving)
    return {
        "operationId": "decide",
        "summary": "Decide one application, or several as a list: all of them or none",
        "description": (
            "The same application with the same values gets the same decision again for the rest of its month (UTC). "
            'Values are read as those of a table: "12.5" is a number, "True", true and 1 are one flag, and words that '
            "the model's record names as missing are null. "
            f"A body has at most {limits.most_bytes:,} bytes, a batch at most {limits.most_decisions:,} applications."
        ),
        "security": [{"key": []}, {}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [*forms, several]},
                    "examples": {
                        "one": {"summary": "One application", "value": example},
                        "several": {
                            "summary": "A batch",
                            "value": [example, {**example, "application_id": "A-1002"}],
                        },
                    },
                }
            },
        },
        "responses": _responses(
            {"oneOf": [answer, {"type": "array", "items": answer}]}, 400, 401, 404, 408, 409, 413, 415, 422, 429, 503
        ),
    }


def _decision() -> Document:
    return {
        "operationId": "decision",
        "summary": "A decision of this service and its present state",
        "security": [{"key": []}, {}],
        "parameters": [
            {
                "name": "decision_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": ID_DIGITS},
            }
        ],
        "responses": _responses({"$ref": f"{_SCHEMAS}StandingDecision"}, 401, 404),
    }


def _metrics() -> Document:
    return {
        "operationId": "metrics",
        "summary": "Counters of all workers in Prometheus's text format",
        "security": [{"key": []}, {}],
        "responses": {
            "200": {"description": "Counters", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **{code: response for code, response in _responses({}, 401).items() if code != "200"},
        },
    }


def _plain(summary: str, properties: Mapping[str, Any] | None, *codes: int) -> Document:
    schema: Document = {"type": "object"}
    if properties is not None:
        schema |= {"properties": dict(properties), "required": list(properties)}
    return {"summary": summary, "responses": _responses(schema, *codes)}


def _responses(schema: Document, *codes: int) -> Document:
    refusal = {"application/json": {"schema": {"$ref": f"{_SCHEMAS}RefusalBody"}}}
    answered = {"200": {"description": "The answer", "content": {"application/json": {"schema": schema}}}}
    return answered | {str(code): {"description": _MEANINGS[code], "content": refusal} for code in codes}


def _schemas(serving: Serving) -> Document:
    application = serving.contract.application_type(serving.scorer.predictor.meanings)
    contract = serving.contract
    requests = (application, contract.customer_type()) if contract.by_customer else (application,)
    types = (*requests, Decision, StandingDecision, RefusalBody)
    _, schemas = msgspec.json.schema_components(types, ref_template=f"{_SCHEMAS}{{name}}")
    return schemas


def _example(serving: Serving) -> Document:
    contract, meanings = serving.contract, serving.scorer.predictor.meanings
    numbers = {name: _usual(meanings.get(name), 1.0) for name in contract.numeric}
    texts = dict.fromkeys(contract.categorical)
    return {"application_id": "A-1001", "customer_id": "C-17", "amount": 50_000, "term": 6, "features": numbers | texts}


def _usual(meaning: Mapping[str, Any] | None, otherwise: float) -> float:
    usual = meaning.get("usual") if meaning else None
    return float(usual) if isinstance(usual, (int, float)) else otherwise
