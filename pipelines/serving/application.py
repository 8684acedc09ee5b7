"""The ASGI application: authentication, routing and one form of refusal."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from itertools import count
from secrets import token_hex
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, Router

from pipelines.score_log.rolled_decisions import Rolled
from pipelines.serving.allowance import Allowance
from pipelines.serving.champion import Champion
from pipelines.serving.decider import Decider, Decision, StandingDecision
from pipelines.serving.keys import ApiKeys
from pipelines.serving.metrics import Metrics
from pipelines.serving.openapi import document
from pipelines.serving.page import page
from pipelines.serving.refusal import Refusal, shown
from pipelines.serving.settings import LimitSettings

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DECISIONS = "/decisions"
JSON = b"application/json"
CHALLENGE = ((b"www-authenticate", b"Bearer"),)
ROUTES = {
    "/health": "health",
    "/ready": "ready",
    "/version": "version",
    "/metrics": "metrics",
    "/openapi.json": "openapi",
    "/": "page",
}
_encode = msgspec.json.Encoder().encode


class Gone(Exception):
    """The client has hung up."""


@dataclass
class Application:
    """One worker's service. `is_open` lets callers in without a key, until there is one."""

    champion: Champion
    decider: Decider
    keys: ApiKeys
    allowance: Allowance
    metrics: Metrics
    limits: LimitSettings
    logged: Callable[[Rolled], Decision | None]
    standing: Callable[[Decision], StandingDecision]
    waiting: Callable[[], int]
    about: Callable[[], dict[str, Any]]
    is_open: bool = False
    debug: bool = False

    def __post_init__(self) -> None:
        self._prefix, self._numbers = token_hex(4), count(1)
        self._is_writable = True
        self._router = Router(
            [
                Route(f"{DECISIONS}/{{decision_id}}", self._decision, methods=["GET"]),
                Route("/health", self._health, methods=["GET"]),
                Route("/ready", self._ready, methods=["GET"]),
                Route("/version", self._version, methods=["GET"]),
                Route("/metrics", self._metrics, methods=["GET"]),
                Route("/openapi.json", self._openapi, methods=["GET"]),
                Route("/", self._page, methods=["GET"]),
            ],
            redirect_slashes=False,
            default=_not_found,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started, path = time.perf_counter(), scope["path"]
        is_decide = path == DECISIONS
        name = "decide" if is_decide else "decision" if path.startswith(f"{DECISIONS}/") else ROUTES.get(path, "other")
        request_id = f"{self._prefix}{next(self._numbers):08x}"
        scope["app"] = self  # the router raises what it refuses, instead of answering itself
        scope["state"] = {"request_id": request_id}
        response = _Response(send, request_id.encode())
        try:
            if is_decide:
                await response.send_json(200, await self._decide(scope, receive))
                self.metrics.count_seconds(time.perf_counter() - started)
            else:
                await self._router(scope, receive, response)
        except Gone:
            return
        except Exception as error:
            await response.refuse(self._refusal(error, request_id), request_id)
        self.metrics.count_request(name, response.status)

    async def _decide(self, scope: Scope, receive: Receive) -> bytes:
        """Decide the applications in the body and return the response. This is the hot path."""
        if scope["method"] != "POST":
            raise HTTPException(405, headers={"Allow": "POST"})
        headers = dict(scope["headers"])
        holder = self._holder(headers)
        if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != JSON:
            raise Refusal(
                415,
                "The request body must be sent as application/json",
                f"content-type {shown(headers.get(b'content-type', b'').decode('latin-1'))}",
                "send content-type: application/json",
            )
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refusal(
                415, "Compressed request bodies are not supported", "a content-encoding", "send the body uncompressed"
            )
        body = await self._body(headers, receive)
        serving = self.champion.current
        applications, is_batch = serving.contract.decode(body, self.limits.most_decisions)
        wait = self.allowance.take(holder, len(applications), time.monotonic())
        if wait:
            raise Refusal(
                429,
                f"Rate limit exceeded: {self.limits.decisions_per_second:g} decisions per second and API key",
                f"{len(applications)} applications",
                f"try again in {wait:.3f} seconds",
                headers=[(b"retry-after", str(int(wait) + 1).encode())],
            )
        decided = self._decided(serving, applications)
        for decision in decided.decisions:
            self.metrics.count_decision(decision)
        if decided.repeated:
            self.metrics.count_event("repeated", decided.repeated)
        parts = [part if isinstance(part, Decision) else await self._of_log(part) for part in decided.parts]
        return _encode(parts if is_batch else parts[0])

    def _decided(self, serving: Any, applications: list[Any]) -> Any:
        try:
            decided = self.decider.decide(serving, applications)
        except OSError as error:
            self._is_writable = False
            logger.error("the journal cannot be written: %s", error.strerror)
            raise Refusal(
                503,
                "The decision could not be stored",
                "a disk error",
                "try again later",
                headers=[(b"retry-after", b"5")],
            ) from None
        self._is_writable = True
        return decided

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        length = headers.get(b"content-length")
        most = self.limits.most_bytes
        if length is not None and int(length) > most:
            raise _too_large(most, f"{int(length):,} bytes")
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        if not message.get("more_body"):
            body: bytes = message["body"]
        else:
            try:
                async with asyncio.timeout(self.limits.body_seconds):
                    body = await _rest(message["body"], receive, most)
            except TimeoutError:
                raise Refusal(
                    408,
                    f"The request body did not arrive within {self.limits.body_seconds:g} seconds",
                    "a part of it",
                    "send the whole body",
                ) from None
        if len(body) > most:
            raise _too_large(most, f"more than {most:,} bytes")
        return body

    def _holder(self, headers: dict[bytes, bytes]) -> str:
        header = headers.get(b"authorization")
        if header is None:
            if self.is_open and not self.keys.any_valid:
                return ""
            raise Refusal(
                401, "An API key is required", "no key", "send the header authorization: Bearer KEY", headers=CHALLENGE
            )
        scheme, _, key = header.decode("latin-1").partition(" ")
        holder = self.keys.holder(key.strip()) if scheme.lower() == "bearer" else None
        if holder is None:
            raise Refusal(
                401,
                "Unknown or revoked API key",
                "another key",
                "ask the operator of this service for a key",
                headers=CHALLENGE,
            )
        return holder

    async def _of_log(self, rolled: Rolled) -> Decision:
        decision = await asyncio.to_thread(self.logged, rolled)
        if decision is None:
            raise _no_decision(rolled.decision.hex())
        return decision

    async def _decision(self, request: Request) -> Response:
        self._holder(dict(request.scope["headers"]))
        identity = request.path_params["decision_id"]
        decision = self.decider.find(identity)
        if decision is None:
            raise _no_decision(identity)
        answer = decision if isinstance(decision, Decision) else await self._of_log(decision)
        return _json(await asyncio.to_thread(self.standing, answer))

    async def _health(self, request: Request) -> Response:  # noqa: ARG002
        return _json({"status": "ok"})

    async def _ready(self, request: Request) -> Response:  # noqa: ARG002
        if not self._is_writable:
            raise Refusal(503, "The service cannot store decisions", "a disk error", "free space on its disk")
        return _json({"status": "ready", "model_version": self.champion.current.version})

    async def _version(self, request: Request) -> Response:  # noqa: ARG002
        return _json(self.about())

    async def _metrics(self, request: Request) -> Response:
        self._holder(dict(request.scope["headers"]))
        return Response(self.metrics.text(self.waiting()), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _openapi(self, request: Request) -> Response:  # noqa: ARG002
        return _json(document(self.champion.current, self.limits))

    async def _page(self, request: Request) -> Response:  # noqa: ARG002
        return HTMLResponse(page(document(self.champion.current, self.limits)))

    def _refusal(self, error: Exception, request_id: str) -> Refusal:
        """Return the refusal for an error; an unexpected error is named by its type only, its text may hold data."""
        if isinstance(error, Refusal):
            return error
        if isinstance(error, HTTPException):
            headers = [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]
            allowed = (error.headers or {}).get("Allow", "GET")
            return Refusal(
                error.status_code,
                f"Method not allowed; use {allowed}",
                "another method",
                f"use {allowed}",
                headers=headers,
            )
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        location = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
        logger.error("request %s failed: %s at %s", request_id, type(error).__name__, location, exc_info=self.debug)
        return Refusal(500, "Internal error", "an unexpected error", "report this request_id to the operator")


class _Response:
    """Sends a response with the request's id and remembers its status."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send, self._request_id = send, request_id
        self.status = 500
        self._is_started = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self._is_started = message["status"], True
            message["headers"] = [*message["headers"], (b"x-request-id", self._request_id)]
        await self._send(message)

    async def send_json(self, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Send JSON."""
        about = [
            (b"content-type", JSON),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", self._request_id),
        ]
        self.status, self._is_started = status, True
        await self._send({"type": "http.response.start", "status": status, "headers": about + (headers or [])})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal, request_id: str) -> None:
        """Send a refusal, unless a response has begun."""
        if not self._is_started:
            await self.send_json(refusal.status, refusal.body(request_id), refusal.headers)


async def _rest(first: bytes, receive: Receive, most: int) -> bytes:
    """Return a body that arrives in several messages, or its beginning where it is too long."""
    body, more = bytearray(first), True
    while more and len(body) <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    raise Refusal(404, "Not found", shown(scope["path"]), "use a path that the page at / lists")


def _no_decision(identity: str) -> Refusal:
    return Refusal(
        404,
        "Unknown decision",
        shown(identity),
        "use the decision_id of an earlier response; erased decisions are not found",
    )


def _too_large(most: int, received: str) -> Refusal:
    return Refusal(413, f"The request body is larger than {most:,} bytes", received, "send fewer applications at once")


def _json(value: Any) -> Response:
    return Response(_encode(value), media_type="application/json")
