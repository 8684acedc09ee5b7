"""The next steps that real runs print are run as they are printed, and exit as the run says.

A play is a few commands of a user. Each next step that a run prints is run too, and each that those print, until there
is none that was not run; the plays have paths with spaces, a policy and a configuration folder of their own.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.applications.sources import german_credit_path
from tests.printed_commands import ROOT, pattern, steps_of, words_of

pytestmark = pytest.mark.integration  # whole commands, repeatedly

PATIENCE = 180.0
"""Seconds to wait for a server's first answer."""

SERVERS = {"mlflow": "--port", "evidently": "--port", "optuna-dashboard": "--port", "thinfile": "port"}
"""Programs that serve pages until they are stopped, and their option for the port: others may use the usual one."""

SAYS_NO = re.compile(r"^(REFUSED|ACT|INCONCLUSIVE|CHANGED|NOT VERIFIED)\b", re.MULTILINE)
"""Begins the line with which a run says that its answer is no, which is exit code 3."""

PLAYED: Mapping[str, list[str]] = {
    "demo": [
        "thinfile compare{where}",
        "thinfile promote{where}",
        "thinfile tune {data}{where}",
        "thinfile compare study={studies[0]['study']}{carried(settings)}",
        "thinfile promote version={best}{carried(settings)}",
        "thinfile promote version={version}{carried(settings)}",
        "thinfile watch period={key.period}{carried(settings)}{version}",
        "thinfile watch acknowledge {shlex.join(overrides)} why='...'",
        "thinfile ui {here}",
        "mlflow ui --backend-store-uri {shown}",
        "optuna-dashboard {studies}",
        "evidently ui --workspace {folder}",
        "evidently ui --workspace {shlex.quote(str(workspace.evidently))}",
        "open {shlex.quote(str(report))}",
        "open {shlex.quote(str(page.path))}",
        "open {shlex.quote(str(files.html))}",
    ],
    "two people": [
        "thinfile promote {step} request={entry.sequence}{carried_along(settings)}",
        "thinfile promote {step} request={request.sequence}{overrides}",
        "thinfile score {data} period=YYYY-MM{carried_along(settings)}",
        "thinfile promote request{carried(settings)}",
        "thinfile promote request version={settings.version}{carried_along(settings)}",
        "thinfile promote verify{carried(settings)}",
        "thinfile promote verify{carried_along(settings)}",
        "thinfile promote verify {shell_word('anchor', settings.anchor.file)}{carried(settings)}",
        "thinfile review decide decision={row['decision_id']} outcome=approved why='...'{carried(settings)}",
        "thinfile review history decision={row['decision_id']}{carried(settings)}",
        "thinfile review verify{carried(settings)}",
        "thinfile erase verify{carried(settings)}",
        "thinfile serve{carried(settings)}",
        "thinfile watch {words}{carried(settings)}",
    ],
    "signers": ["thinfile promote policy {shell_word('key', settings.key)}{carried_along(settings)}"],
}
"""The next steps that each play prints, as the source has them."""


NOT_PLAYED = {
    "thinfile promote version={chosen.version}{overrides}": "of a fair search, which docs/experiments.md runs",
    "thinfile compare{overrides}": "of a fair search, which docs/experiments.md runs",
    "thinfile prepare loan.as_of={result['as_of'][:10]}{_carried(settings, folder)}": "of the marketplace demo",
    "thinfile tune data=marketplace{path}{carried(settings)}": "of the marketplace demo",
    "open {shown}": "the address of an MLflow server",
    "thinfile watch period={datetime.now(UTC)}{carried(settings)}": "a service needs decisions of this month",
    "thinfile score {about}{carried(settings)}": "a book needs a champion of purchase features",
    "thinfile tune data=table {shell_word('data.path', path)} data.label=COLUMN data.id=COLUMN data.time=COLUMN": (
        "columns of the user's own table; docs/own_marketplace.md has such a command, which tests/docs runs"
    ),
}
"""Next steps that no play prints, and why."""


@dataclass
class Play:
    """Runs commands in a folder, and the next steps that they print; `ran` has all of them."""

    folder: Path
    placeholders: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def run(self, *commands: str) -> str:
        """Run commands and all next steps; return what the first command has printed."""
        printed = ""
        waiting = deque(commands)
        while waiting:
            command = waiting.popleft()
            if command in self.ran:
                continue
            self.ran.append(command)
            stdout = self.run_one(command)
            printed = printed or stdout
            waiting += [step for step in steps_of(stdout) if step not in waiting]
        return printed

    def run_one(self, command: str) -> str:
        """Run one command and return what it has printed."""
        for placeholder, value in self.placeholders.items():
            command = command.replace(placeholder, value)
        words = words_of(command)
        if words[0] == "open":
            assert_opens(words[1])
            return ""
        if words[0] != "thinfile" or (words[1] == "serve" and words[2:3] != ["key"]):
            return self._serve(command, words)
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )
        says_no = words[1] != "demo" and SAYS_NO.search(done.stdout)  # whose commands may say no
        said = 3 if says_no else 0
        assert done.returncode == said, f"{command}\nexit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _serve(self, command: str, words: Sequence[str]) -> str:
        """Start a server as the command has it, on a port of our own, until it has answered; return what it printed."""
        if shutil.which(words[0], path=self._environment["PATH"]) is None:
            assert_studies(words)
            return ""
        port, name = free_port(), SERVERS[words[0]]
        option = f"{name} {port}" if name.startswith("-") else f"{name}={port}"
        with (self.folder / "server.out").open("w") as output, (self.folder / "server.err").open("w") as errors:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command} {option}"],
                cwd=self.folder, env=self._environment, stdout=output, stderr=errors, start_new_session=True,
            )  # fmt: skip
        try:
            wait_until_it_answers(port, process, self.folder / "server.err")
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return (self.folder / "server.out").read_text()

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "THINFILE_"))}
        programs = f"{Path(sys.executable).parent}:{kept['PATH']}"
        return (
            kept
            | {"PYTHONPATH": str(ROOT), "PATH": programs, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            | dict(self.variables)
        )


def assert_opens(address: str) -> None:
    """Raise AssertionError unless a browser would show a page at an address or a path."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(address).path) if address.startswith("file://") else address
    assert "<html" in Path(path).read_text(encoding="utf-8").lower()


def assert_studies(words: Sequence[str]) -> None:
    """Raise AssertionError unless Optuna finds studies at the address of a dashboard that is not installed here."""
    import optuna

    assert words[0] == "optuna-dashboard"
    assert optuna.study.get_all_study_names(words[1])


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]", errors: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError as error:  # a service without a page at its root
            error.close()
            return
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"the server did not come up: {errors.read_text()[-3000:]}")


def assert_played(name: str, play: Play) -> None:
    """Raise AssertionError unless the run commands are those that the table of plays has."""
    unseen = [one for one in PLAYED[name] if not any(pattern(one).fullmatch(command) for command in play.ran)]
    assert unseen == []


def small_searches(folder: Path) -> dict[str, str]:
    """Return the variables of a team whose searches are short: one trial of a scorecard, unless a command has more."""
    folder.mkdir()
    usual = (ROOT / "conf" / "tune.yaml").read_text().replace("candidate: auto ", "candidate: scorecard ")
    (folder / "tune.yaml").write_text(f"{usual}\ntrials: 1\n")
    return {"THINFILE_CONFIG_DIR": str(folder)}


def a_month_in(folder: Path) -> dict[str, str]:
    """Write the applications of a month, and return what a user writes for the placeholders of a next step."""
    shutil.copy(german_credit_path(), folder / "one month.csv")
    return {"data.path=FILE": "'data.path=\"one month.csv\"'", "YYYY-MM": "2026-05"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name a shell would take apart."""
    folder = tmp_path / "my team's files"
    folder.mkdir()
    return folder


def test_the_demo(folder: Path) -> None:
    play = Play(folder, a_month_in(folder), small_searches(folder / "conf of ours"))
    play.run("thinfile demo trials=1 'workspace=\"my lake\"'")
    play.run("thinfile ui 'workspace=\"my lake\"'")
    assert_played("demo", play)


def test_a_promotion_that_two_people_decide(folder: Path) -> None:
    """With a workspace, a model and a policy of their own, in a configuration folder that a flag names."""
    conf = folder / "conf of ours"
    small_searches(conf)
    (conf / "policy").mkdir()
    (conf / "policy" / "two_people.yaml").write_text(
        "defaults:\n  - default\n  - _self_\nname: two_people\napprovals:\n  people: 1\n"
    )
    play = Play(folder, a_month_in(folder))
    where = "'workspace=\"my lake\"' model=scores --config-dir='conf of ours'"
    play.run_one(f"thinfile tune data=german_credit {where}")
    play.run(f"thinfile promote request policy=two_people {where}")
    assert "thinfile watch" in " ".join(play.ran)
    play.run(f"thinfile promote history {where}", f"thinfile promote rebuild {where}")
    play.run(f"thinfile promote checkpoint 'anchor.file=\"our anchor.jsonl\"' {where}")
    play.run(f"thinfile promote exception version=1 policy=eu why='for a test' {where}")
    play.run(f"thinfile promote policy policy=two_people why='for a test' {where}")
    decision = next((folder / "my lake" / "score_log" / "decisions").rglob("*.parquet"))
    row = next(one for one in pq.read_table(decision).to_pylist() if one["decision"] == "declined")
    lake = "'workspace=\"my lake\"'"
    play.run(f"thinfile review request decision={row['decision_id']} why='for a test' {lake}")
    play.run(f"thinfile erase customer={row['application_id']} why='for a test' {lake}")
    play.run(f"thinfile erase history {lake}")
    play.run(f"thinfile serve key name=checkout model=scores {lake}")
    shutil.rmtree(folder / "my lake" / "reports")
    play.run(f"thinfile ui {lake}")
    assert_played("two people", play)


def test_a_signed_ledger(folder: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", folder / "a key"], check=True)
    key = (folder / "a key.pub").read_text().rsplit(" ", 1)[0]
    (folder / "signers").write_text(f"ada {key}\n")
    variables = small_searches(folder / "conf") | {"THINFILE_SIGNERS": str(folder / "signers")}
    play = Play(folder, a_month_in(folder), variables)
    play.run_one("thinfile tune")
    play.run("thinfile promote signers 'key=\"a key\"'")
    assert_played("signers", play)
