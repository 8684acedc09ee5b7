"""Pages as a person sees them: opened in headless Chromium with the network off."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Timer

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)

Message = dict[str, object]


@dataclass(frozen=True)
class RenderedPage:
    """What a page had become once its scripts were done.

    `console` holds warnings, errors and uncaught exceptions, `requests` each address asked for that is neither in the
    page nor on this machine's disk, and `wide` whether something is cut off at the right or must be scrolled to.
    `text` is what a person can read.
    """

    dom: str
    text: str
    console: tuple[str, ...]
    requests: tuple[str, ...]
    wide: bool


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def open_page(
    page: Path | str,
    *,
    width: int = 1280,
    height: int = 900,
    script: str = "",
    screenshot: Path | None = None,
    timeout: float = 120,
) -> RenderedPage:
    """Open a file or a local address and return what it shows; `script` runs once it has settled (a click, say).

    `screenshot` takes the whole height of the page at `width` pixels, as PNG; a page that scrolls inside itself is as
    high as the window, `height`. Whatever has not happened within
    `timeout` seconds ends with Chromium killed and an EOFError.
    """
    address = page.resolve().as_uri() if isinstance(page, Path) else page
    with _chromium(timeout) as tab:
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.ask(f"{domain}.enable")
        tab.ask("Page.addScriptToEvaluateOnNewDocument", source=_NO_DIALOGS)
        _set_size(tab, width, height)
        tab.ask("Page.navigate", url=address)
        _settle(tab)
        tab.evaluate(script)
        _settle(tab)
        if screenshot:
            _photograph(tab, width, screenshot)
        return RenderedPage(
            dom=str(tab.evaluate("document.documentElement.outerHTML")),
            text=str(tab.evaluate("document.body.innerText")),
            console=tuple(_complaints(tab.events)),
            requests=tuple(_requests(tab.events)),
            wide=bool(tab.evaluate(_WIDE.replace("WIDTH", str(width)))),
        )


def print_page(page: Path, *, timeout: float = 120) -> bytes:
    """Return a file printed to PDF, on the paper that its style sheet asks for."""
    with _chromium(timeout) as tab:
        tab.ask("Page.enable")
        tab.ask("Page.navigate", url=page.resolve().as_uri())
        _settle(tab)
        return base64.b64decode(str(tab.ask("Page.printToPDF", preferCSSPageSize=True)["data"]))


# A dialog would hold the page, and this reader, until the time is up.
_NO_DIALOGS = "alert = confirm = prompt = (text) => console.error('dialog: ' + text)"
_WIDE = """{
const scrolls = (box) => box && (/auto|scroll/.test(getComputedStyle(box).overflowX) || scrolls(box.parentElement));
const cut = (box) => box.getBoundingClientRect().right > WIDTH + 1 && !scrolls(box.parentElement);
[...document.body.querySelectorAll(":not(svg *)")].some(cut)
}"""


class _Tab:
    """One tab of a Chromium that is spoken to through the DevTools protocol, on a pair of pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._commands, self._replies = process.stdin, process.stdout
        self._numbers, self._session = count(1), ""
        self.events: list[Message] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = str(self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    def ask(self, method: str, **params: object) -> Mapping[str, object]:
        """Send one command and return its result; what happens meanwhile is kept in `events`."""
        number = next(self._numbers)
        command: Message = {"id": number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        self._commands.write(json.dumps(command).encode() + b"\0")
        self._commands.flush()
        while (message := self._receive()).get("id") != number:
            self.events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return _inside(message, "result")

    def evaluate(self, script: str) -> object:
        """Run JavaScript in the page and return its value, a promise's once it is kept."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return _inside(answer, "result").get("value")

    def _receive(self) -> Message:
        letters = bytearray()
        while (letter := self._replies.read(1)) != b"\0":
            if not letter:
                raise EOFError("Chromium ended, or ran out of time, before it answered")
            letters += letter
        return dict(json.loads(letters))


@contextmanager
def _chromium(timeout: float) -> Iterator[_Tab]:
    # It listens on file descriptor 3 and answers on 4; its launcher may be a script that chatters on 1 and 2.
    shell = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1'
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = ["sh", "-c", shell, "sh", find_chromium() or NAMES[0], *FLAGS, f"--user-data-dir={profile}"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            alarm = Timer(timeout, process.kill)
            alarm.start()
            try:
                yield _Tab(process)
            finally:
                alarm.cancel()
                process.kill()


def _set_size(tab: _Tab, width: int, height: int) -> None:
    # A window cannot be made as narrow as a telephone; its screen can.
    tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)


def _settle(tab: _Tab) -> None:
    """Wait until the page is loaded and has not changed for a second."""
    size, steady = -1, 0
    while steady < 4:
        time.sleep(0.25)
        now = tab.evaluate("document.readyState == 'complete' ? document.documentElement.outerHTML.length : -1")
        steady = steady + 1 if now == size and size > 0 else 0
        size = int(str(now))


def _photograph(tab: _Tab, width: int, path: Path) -> None:
    _set_size(tab, width, int(str(tab.evaluate("document.documentElement.scrollHeight"))))
    _settle(tab)
    path.write_bytes(base64.b64decode(str(tab.ask("Page.captureScreenshot", format="png")["data"])))


def _complaints(events: list[Message]) -> Iterator[str]:
    for event in events:
        params = _inside(event, "params")
        if event["method"] == "Runtime.exceptionThrown":
            details = _inside(params, "exceptionDetails")
            yield f"exception: {_inside(details, 'exception').get('description', details['text'])}"
        elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            yield f"{params['type']}: {json.dumps(params['args'])[:500]}"
        elif event["method"] == "Log.entryAdded" and (entry := _inside(params, "entry"))["level"] != "info":
            yield f"{entry['level']}: {entry['text']} {entry.get('url', '')}"


def _requests(events: list[Message]) -> Iterator[str]:
    for event in events:
        params = _inside(event, "params")
        address = str(_inside(params, "request").get("url", params.get("url", "")))
        sent = event["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated")
        if sent and not address.startswith(("file:", "data:", "blob:", "about:")):
            yield address


def _inside(message: Mapping[str, object], key: str) -> Message:
    value = message.get(key)
    return dict(value) if isinstance(value, dict) else {}
