"""The OpenAPI document of the service as it is now: the champion's features are its fields."""

from collections.abc import Mapping
from typing import Any

from pipelines.command.provenance import own_version
from pipelines.policy.offers import OfferOutcome
from pipelines.serving.champion import Serving
from pipelines.serving.request_contract import ID_PATTERN, MOST_AMOUNT, MOST_ID, MOST_TERM, MOST_TEXT
from pipelines.serving.settings import LimitSettings

Document = dict[str, Any]

_ID = {"type": "string", "minLength": 1, "maxLength": MOST_ID, "pattern": ID_PATTERN}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_DIGITS = "^[0-9a-f]{32}$"

_MEANINGS = {
    400: "The body is no JSON",
    401: "No key, or none that is valid",
    404: "There is no such decision, or no such customer",
    405: "Another method",
    408: "The body did not arrive in time",
    409: "The application was decided in this period with other values, or the book may not answer for it",
    413: "The body is too large",
    415: "The body is not said to be JSON, or is compressed",
    422: "A field breaks its rule; `field` names it",
    429: "The key asks for too many decisions a second",
    500: "An unexpected error; `request_id` finds it in the service's log",
    503: "The decision cannot be written down now",
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
            "/version": {"get": _plain("What answers: package, model, policy", None)},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": {
                "Application": _application(serving),
                **({"ApplicationOfCustomer": _of_customer()} if serving.contract.by_customer else {}),
                "Decision": _answer(),
                "StandingDecision": _standing(),
                "Refusal": _refusal(),
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key"}},
        },
    }


def _decide(serving: Serving, limits: LimitSettings) -> Document:
    one, answer = {"$ref": "#/components/schemas/Application"}, {"$ref": "#/components/schemas/Decision"}
    forms = [one, {"$ref": "#/components/schemas/ApplicationOfCustomer"}] if serving.contract.by_customer else [one]
    item = one if len(forms) == 1 else {"oneOf": forms}
    several = {"type": "array", "items": item, "minItems": 1, "maxItems": limits.most_decisions}
    example = _example(serving)
    return {
        "operationId": "decide",
        "summary": "Decide one application, or several as a list: all of them or none",
        "description": (
            "The same application with the same values gets the same decision again for the rest of its month (UTC). "
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
        "summary": "A decision that this service has made, from whichever worker, and what holds of it today",
        "security": [{"key": []}, {}],
        "parameters": [
            {
                "name": "decision_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": _DIGITS},
            }
        ],
        "responses": _responses({"$ref": "#/components/schemas/StandingDecision"}, 401, 404),
    }


def _metrics() -> Document:
    return {
        "operationId": "metrics",
        "summary": "Counters of all workers in Prometheus's text format",
        "security": [{"key": []}, {}],
        "responses": {
            "200": {"description": "Counters", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **{code: told for code, told in _responses({}, 401).items() if code != "200"},
        },
    }


def _plain(summary: str, properties: Mapping[str, Any] | None, *codes: int) -> Document:
    schema: Document = {"type": "object"}
    if properties is not None:
        schema |= {"properties": dict(properties), "required": list(properties)}
    return {"summary": summary, "responses": _responses(schema, *codes)}


def _responses(schema: Document, *codes: int) -> Document:
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    answered = {"200": {"description": "The answer", "content": {"application/json": {"schema": schema}}}}
    return answered | {str(code): {"description": _MEANINGS[code], "content": refusal} for code in codes}


def _application(serving: Serving) -> Document:
    contract = serving.contract
    meanings = serving.scorer.predictor.meanings
    number = {"type": ["number", "null"]}
    text = {"type": ["string", "null"], "maxLength": MOST_TEXT}
    kinds = dict.fromkeys(contract.numeric, True) | dict.fromkeys(contract.categorical, False) | contract.optional
    features = {
        name: (number if is_number else text) | _described(meanings.get(name)) for name, is_number in kinds.items()
    }
    return {
        "type": "object",
        "required": ["application_id", "features"],
        "additionalProperties": False,
        "properties": {
            "application_id": _ID | {"description": "Names the application: it is decided once in a month"},
            "customer_id": {**_ID, "type": ["string", "null"], "description": "Whose application it is"},
            "amount": _whole(MOST_AMOUNT) | {"description": "What is asked for, in minor units; then an offer is made"},
            "term": _whole(MOST_TERM) | {"description": "The term that is asked for, in months"},
            "features": {
                "type": "object",
                "description": "Finite numbers in double precision, or text; null where a value is missing",
                "required": [*contract.numeric, *contract.categorical],
                "additionalProperties": False,
                "properties": features,
            },
        },
    }


def _of_customer() -> Document:
    """Return an application whose features are looked up in the book."""
    properties = {
        "application_id": _ID | {"description": "Names the application: it is decided once in a month"},
        "customer_id": _ID | {"description": "Whose application it is, in the book"},
        "amount": {"type": "integer", "minimum": 1, "maximum": MOST_AMOUNT, "description": "In minor units"},
        "term": {"type": "integer", "minimum": 1, "maximum": MOST_TERM, "description": "In months"},
        "basket_category": {"type": ["string", "null"], "maxLength": MOST_TEXT, "description": "Of what is financed"},
    }
    required = [name for name in properties if name != "basket_category"]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def _whole(most: int) -> Document:
    return {"type": ["integer", "null"], "minimum": 1, "maximum": most}


def _described(meaning: Mapping[str, Any] | None) -> Document:
    return {"description": str(meaning["meaning"])} if meaning else {}


def _answer() -> Document:
    properties = {
        "decision_id": {"type": "string", "pattern": _DIGITS},
        "application_id": {"type": "string"},
        "customer_id": {"type": ["string", "null"]},
        "decision": {"enum": ["approved", "declined", "referred"]},
        "points": {"type": "integer"},
        "band": {"type": "string"},
        "pd": {"type": "number", "minimum": 0, "maximum": 1, "description": "Probability of default"},
        "raw_score": {"type": "number", "description": "Log-odds of bad before calibration"},
        "reasons": _TEXTS | {"description": "What weighed most against approval, the weightiest first"},
        "notice": _TEXTS | {"description": "Lines that a declined applicant is told, by the policy"},
        "period": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
        "decided_at": {"type": "string", "format": "date-time"},
        "model": {"type": "string"},
        "model_version": {"type": "integer"},
        "policy": {"type": "string"},
        "offer": _offer() | {"description": "What may be lent of the amount asked for, with terms and schedules"},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _standing() -> Document:
    standing = {
        "decision": {"enum": ["approved", "declined", "referred"]},
        "is_overturned": {"type": "boolean", "description": "A person decided otherwise than the model"},
        "is_in_review": {"type": "boolean", "description": "A person was asked and has not decided yet"},
        "decided_at": {"type": ["string", "null"], "description": "When a person decided"},
    }
    return _object(_answer()["properties"] | {"standing": _object(standing)})


def _offer() -> Document:
    amount = {"type": "integer", "minimum": 0}
    part = dict.fromkeys(("number", "amount", "interest", "principal"), amount)
    term = dict.fromkeys(("term", "fee", "instalment", "last_instalment", "total"), amount)
    term |= {"interest": {"type": "string"}, "rate": {"type": "number"}, "apr": {"type": "number"}}
    term |= {"schedule": {"type": "array", "items": _object(part)}}
    withheld = {"term": amount, "why": {"type": "string"}}
    properties = {
        "outcome": {"enum": [one.value for one in OfferOutcome]},
        **dict.fromkeys(("requested", "amount", "limit"), amount),
        "terms": {"type": "array", "items": _object(term)},
        "withheld": {"type": "array", "items": _object(withheld)},
        "explanation": {"type": "string"},
    }
    return _object(properties) | {"type": ["object", "null"]}


def _object(properties: Document) -> Document:
    return {"type": "object", "required": list(properties), "properties": properties}


def _refusal() -> Document:
    properties = {
        "rule": {"type": "string"},
        "received": {"type": "string"},
        "next_step": {"type": "string"},
        "field": {"type": ["string", "null"]},
        "request_id": {"type": "string"},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _example(serving: Serving) -> Document:
    contract, meanings = serving.contract, serving.scorer.predictor.meanings
    numbers = {name: _usual(meanings.get(name), 1.0) for name in contract.numeric}
    texts = dict.fromkeys(contract.categorical)
    return {"application_id": "A-1001", "customer_id": "C-17", "amount": 50_000, "term": 6, "features": numbers | texts}


def _usual(meaning: Mapping[str, Any] | None, otherwise: float) -> float:
    usual = meaning.get("usual") if meaning else None
    return float(usual) if isinstance(usual, (int, float)) else otherwise
