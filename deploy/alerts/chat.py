"""Sends the event of an alarm to a channel of Slack (Block Kit) or Microsoft Teams (Adaptive Card).

Make an incoming webhook in Slack, or in Teams a workflow "when a Teams webhook request is received". Its address is a
secret: give it in THINFILE_CHAT_URL, or in a file that THINFILE_CHAT_URL_FILE names.

    python chat.py slack workspace/alarms/2026-10-act-*.json
    python chat.py teams workspace/alarms/2026-10-act-*.json

An event is sent once. Exit code 0: all were sent, now or before; 1: one was not.
"""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from alarm_event import Event, causes, facts, next_steps, secret, send_each, title

SECONDS = 10
LONGEST_HEADER = 150
"""Characters that Slack allows in a header."""


def slack(event: Event) -> dict[str, Any]:
    """Return a message of Block Kit; `text` is what a notification shows."""
    table = [_mrkdwn(f"*{name}*\n{_escaped(value)}") for name, value in facts(event).items()]
    report, command = next_steps(event)
    list_of_causes = "\n".join(f"• {_code(cause)}" for cause in causes(event))
    return {
        "text": title(event),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title(event)[:LONGEST_HEADER]}},
            {"type": "section", "fields": table},
            {"type": "section", "text": _mrkdwn(f"*Causes*\n{list_of_causes}")},
            {"type": "section", "text": _mrkdwn(f"*Report*\n{_code(report)}")},
            {"type": "section", "text": _mrkdwn(f"*When you have read it*\n{_code(command)}")},
        ],
    }


def teams(event: Event) -> dict[str, Any]:
    """Return a message with an Adaptive Card. Causes and commands are text runs, which are not read as Markdown."""
    report, command = next_steps(event)
    color = "attention" if event["level"] == "act" else "warning"
    body = [
        {"type": "TextBlock", "text": title(event), "weight": "bolder", "color": color, "wrap": True},
        {"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in facts(event).items()]},
        {"type": "TextBlock", "text": "Causes", "weight": "bolder"},
        *({"type": "RichTextBlock", "inlines": [_run(cause)]} for cause in causes(event)),
        {"type": "TextBlock", "text": "Report", "weight": "bolder"},
        {"type": "RichTextBlock", "inlines": [_run(report)]},
        {"type": "TextBlock", "text": "When you have read it", "weight": "bolder"},
        {"type": "RichTextBlock", "inlines": [_run(command)]},
    ]
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4"}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None}
    return {"type": "message", "attachments": [attachment | {"content": card | {"body": body}}]}


def post(message: dict[str, Any], url: str) -> None:
    """Post a message. Raises ValueError for another answer than 2xx; its text does not contain the address."""
    body = json.dumps(message).encode()
    try:
        request = urllib.request.Request(url, body, {"content-type": "application/json"}, method="POST")
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS):
            pass
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(f"status {error.code}: {error.read(200).decode(errors='replace')}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"no connection ({type(error).__name__}); check the address in THINFILE_CHAT_URL") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, by which a POST would become a GET without the message."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    return f"`{_escaped(text).replace('`', chr(39))}`"


def _run(text: str) -> dict[str, str]:
    return {"type": "TextRun", "text": text, "fontType": "monospace"}


SERVICES: dict[str, Callable[[Event], dict[str, Any]]] = {"slack": slack, "teams": teams}


def main(words: list[str]) -> int:
    """Send the events to the service that the first word names."""
    if len(words) < 2 or words[0] not in SERVICES:
        print("usage: chat.py slack|teams EVENT.json ...", file=sys.stderr)
        return 2
    service, url = words[0], secret("THINFILE_CHAT_URL")
    return send_each(words[1:], service, lambda event: post(SERVICES[service](event), url))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
