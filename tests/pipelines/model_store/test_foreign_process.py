"""A model of another tool runs in a process of its own: what it tries outside fails, and the limit is named."""

import ast
import gc
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store import foreign_process, isolation
from pipelines.model_store.files import model_hash
from pipelines.model_store.foreign import load_foreign
from pipelines.model_store.foreign_process import ISOLATED, UNISOLATED, ForeignProcess
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.system_calls import filter_of_system_calls
from pipelines.policy.model_settings import ModelSettings

pytestmark = pytest.mark.filterwarnings("ignore:.*input example was not provided:UserWarning")

SCRIPT = """
import mlflow
import numpy as np
import pandas as pd

class Theirs(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: pd.DataFrame):
        attempt()
        return np.full(len(model_input), 0.25)

def attempt():
{code}

mlflow.models.set_model(Theirs())
"""
ROWS = pd.DataFrame({"income": [1.0, 2.0, 3.0]})
TITLE = "theirs version 1"
PATIENCE = 600.0
"""Seconds for what is not about time, on a machine that does other work."""
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save a model whose predictions run some code first."""

    def saved(code: str = "pass", script: str = SCRIPT) -> Path:
        lines = "\n".join(f"    {line}" for line in code.splitlines())
        (tmp_path / "theirs.py").write_text(script.format(code=lines))
        signature = ModelSignature(Schema([ColSpec(DataType.double, "income")]))
        mlflow.pyfunc.save_model(
            tmp_path / "model",
            python_model=str(tmp_path / "theirs.py"),
            signature=signature,
            pip_requirements=["mlflow"],
        )
        return tmp_path / "model"

    return saved


def process_of(folder: Path, **settings: Any) -> ForeignProcess:
    return ForeignProcess(folder, TITLE, model_hash(folder), ModelSettings(**{"seconds": PATIENCE} | settings))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("code", "message", "settings"),
    [
        ("open('{outside}/written', 'w').write('x')", r"limit on files: .* \(FileNotFoundError: .*written", {}),
        ("open('/model/written', 'w').write('x')", r"limit on files: .* \(OSError: .*Read-only file system", {}),
        ("open('/tmp/big', 'wb').write(bytes(2**27))", r"limit on files: .* \(OSError: .*(too large|No space)", {}),
        ("open('{outside}/secret').read()", r"limit on files: .* \(FileNotFoundError: .*secret", {}),
        ("import socket\nsocket.create_connection(('127.0.0.1', {port}))", "limit on network: its process has no", {}),
        ("import urllib.request\nurllib.request.urlopen('http://example.org')", "limit on network: its process", {}),
        ("import os\nos.environ['THINFILE_SECRET']", "limit on environment: .* environment variables of yours", {}),
        ("import os\nos.fork()", "limit on processes: its process may not start others", {}),
        ("import subprocess\nsubprocess.run(['/bin/true'])", "limit on processes: its process may not start", {}),
        ("np.ones(50 * 2**27)", "limit on memory: 4 gigabytes; raise policy.models.memory", {}),
        ("import time\ntime.sleep(3600)", "limit on time: 8 seconds; raise policy.models.seconds", {"seconds": 8.0}),
        ("while True: pass", "limit on time: 8 seconds; raise policy.models.seconds", {"seconds": 8.0}),
        ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n1 / 0", "failed: ZeroDivisionError", {}),
        ("import os\nos._exit(3)", "gave no answer: its process ended with exit code 3", {}),
        ("import ctypes\nctypes.string_at(0)", r"gave no answer: its process ended by signal 11 \(for example", {}),
        ("raise ValueError('one\\ntwo\\x1b[31m')", r"failed: ValueError: one two \[31m; log a corrected version", {}),
    ],
    ids=["writes a file", "writes to its folder", "fills the disk", "reads a file", "opens a socket", "looks a name up",
         "reads the environment", "forks", "starts a program", "allocates 50 GB", "sleeps", "never ends",
         "kills its parent", "ends", "crashes", "writes to the terminal"],
)  # fmt: skip
def test_what_a_model_tries_outside_its_process_fails_and_the_limit_is_named(
    code: str, message: str, settings: dict[str, Any], save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a secret in a file and in the environment, and a server on this machine
    monkeypatch.setenv("THINFILE_SECRET", "a secret")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("a secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        process = process_of(save(code.format(outside=outside, port=server.getsockname()[1])), **settings)
        before = files_of(tmp_path)
        # when
        with pytest.raises(ThinfileError, match=f"{TITLE}.*{message}"):
            process.predict(ROWS)
        # then
        with pytest.raises(BlockingIOError):
            server.accept()
    assert files_of(tmp_path) == before


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.integration
def test_a_stopped_process_starts_again_and_none_is_left(save: Save) -> None:
    code = "if model_input['income'][0] < 0: np.ones(50 * 2**27)"
    process = process_of(save("pass", SCRIPT.replace("attempt()\n        return", f"{code}\n        return")))
    before = children()
    assert process.predict(ROWS).tolist() == [0.25] * 3
    with pytest.raises(ThinfileError, match="limit on memory"):
        process.predict(-ROWS)
    assert process.predict(ROWS).tolist() == [0.25] * 3
    assert process.isolation == ISOLATED
    assert len(children()) == len(before) + 1
    del process
    gc.collect()
    assert children() == before


def children() -> set[int]:
    """Return the processes that this one has started."""
    task = Path(f"/proc/{os.getpid()}/task")
    return {int(number) for path in task.glob("*/children") for number in path.read_text().split()}


@pytest.mark.integration
def test_a_process_does_not_start_again_from_changed_files(save: Save) -> None:
    folder = save("pass", SCRIPT.replace("attempt()\n", "np.ones(50 * 2**27) if model_input['income'][0] < 0 else 0\n"))
    process = process_of(folder)
    assert process.predict(ROWS).tolist() == [0.25] * 3
    # given files that are changed while the process runs, and a limit that ends it
    script = folder / "theirs.py"
    script.write_text(script.read_text().replace("0.25", "0.01"))
    assert process.predict(ROWS).tolist() == [0.25] * 3
    with pytest.raises(ThinfileError, match="limit on memory"):
        process.predict(-ROWS)
    with pytest.raises(ThinfileError, match=f"the files of {TITLE} were changed since they were checked; restore"):
        process.predict(ROWS)


FORGED = """
import json, os, struct, sys
about = json.dumps({{"unavailable": "no namespaces here"}}).encode()
os.write(int(sys.argv[2]), struct.pack("<QQ", len(about), 0) + about)
os._exit(1)
"""
"""A model that answers as its starter would on a machine without namespaces."""


@pytest.mark.integration
def test_a_model_cannot_choose_how_its_process_is_kept_apart(save: Save, tmp_path: Path) -> None:
    folder = save()
    (folder / "theirs.py").write_text(FORGED.format())
    with pytest.raises(ThinfileError, match="which another tool logged, did not report that it was loaded"):
        process_of(folder, unisolated=True).predict(ROWS)


@pytest.mark.integration
def test_the_process_ends_with_the_one_that_started_it(save: Save, tmp_path: Path) -> None:
    # given a program that is killed while it waits for a model that never answers
    folder = save("import time\ntime.sleep(3600)")
    script = f"""
from pathlib import Path
import pandas as pd
from pipelines.model_store.foreign_process import ForeignProcess
from pipelines.policy.model_settings import ModelSettings
process = ForeignProcess(Path({str(folder)!r}), "theirs", {model_hash(folder)!r}, ModelSettings())
process.predict(pd.DataFrame({{"income": [1.0]}}))
"""
    program = subprocess.Popen([sys.executable, "-c", script], cwd=Path(isolation.__file__).parents[2])
    guard = wait_for(lambda: descendants(program.pid, 1))
    model = wait_for(lambda: descendants(program.pid, 2))
    # when
    program.kill()
    program.wait()
    # then
    wait_for(lambda: not any(Path(f"/proc/{number}").exists() for number in guard | model) or None)


def descendants(process: int, steps: int) -> set[int]:
    """Return the processes that a process started, or those that these started."""
    found = {process}
    for _ in range(steps):
        tasks = [path for number in found for path in Path(f"/proc/{number}/task").glob("*/children")]
        found = {int(number) for path in tasks for number in path.read_text().split()}
    return found


def wait_for(condition: Callable[[], Any]) -> Any:
    until = time.monotonic() + 60
    while not (answer := condition()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return answer


@pytest.mark.integration
def test_a_model_that_fails_while_it_is_loaded_is_named(save: Save) -> None:
    folder = save()
    (folder / "theirs.py").write_text("raise LookupError('no such table')")
    with pytest.raises(
        ThinfileError, match=r"theirs version 1, which another tool logged, failed: LookupError: no such"
    ):
        process_of(folder).predict(ROWS)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("returned", "reason"),
    [("np.zeros(10**6)", "gave no answer: the answer has"), ("np.array([{}] * 3)", "returned classes")],
    ids=["too many", "objects"],
)
def test_an_answer_that_is_no_list_of_numbers_is_refused(returned: str, reason: str, save: Save) -> None:
    folder = save("pass", SCRIPT.replace("np.full(len(model_input), 0.25)", returned.replace("{}", "{{}}")))
    digest = model_hash(folder)
    predictor = load_foreign(folder, REGISTERED, digest, ModelSettings(foreign={digest: "theirs"}, seconds=PATIENCE))
    with pytest.raises(ThinfileError, match=reason):
        predictor.probability_of_bad(ROWS)


REGISTERED = RegisteredModel("theirs", 1, None, "", None, {}, (), 0.0)


@pytest.mark.parametrize("allowed", [{}, {"a hash": "others"}, {"another": "theirs"}], ids=["none", "name", "hash"])
def test_a_model_that_the_policy_does_not_name_is_refused_with_the_setting(allowed: dict[str, str], save: Save) -> None:
    setting = """'policy.models.foreign={"a hash": "theirs"}'"""
    with pytest.raises(RequestError, match=f"theirs version 1 was logged by another tool, .*: {re.escape(setting)}"):
        load_foreign(save(), REGISTERED, "a hash", ModelSettings(foreign=allowed))


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes as on a machine where bubblewrap is not installed."""
    monkeypatch.setattr(foreign_process, "BUBBLEWRAP", "no such program")


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start processes as on a machine that refuses namespaces."""
    refusing = tmp_path / "isolation.py"
    source = Path(isolation.__file__).read_text()
    refusing.write_text(
        source.replace('_linux("unshare", UNSHARE)', "raise PermissionError(1, 'unshare: refused here')")
    )
    monkeypatch.setattr(isolation, "__file__", str(refusing))


@pytest.mark.integration
@pytest.mark.usefixtures("without_namespaces")
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("pass", None),
        ("open('{outside}').read()", r"limit on files: .* \(FileNotFoundError"),
        ("open('/written', 'w')", "limit on files"),
        ("import socket\nsocket.socket()", "limit on network"),
        ("import os\nos.fork()", "limit on processes"),
        ("import os\nos.environ['THINFILE_SECRET']", "limit on environment"),
    ],
)
def test_bubblewrap_isolates_where_thinfile_may_not(
    code: str, message: str | None, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THINFILE_SECRET", "a secret")
    (tmp_path / "secret").write_text("a secret")
    process = process_of(save(code.format(outside=tmp_path / "secret")))
    assert process.isolation == f"{ISOLATED} (bubblewrap)"
    if message is None:
        assert process.predict(ROWS).tolist() == [0.25] * 3
        return
    with pytest.raises(ThinfileError, match=f"{TITLE} was stopped by the {message}"):
        process.predict(ROWS)


@pytest.mark.usefixtures("without_namespaces", "without_bubblewrap")
def test_where_no_process_can_be_isolated_a_model_is_refused(save: Save) -> None:
    with pytest.raises(
        RequestError, match=r"cannot isolate the process .*refused here.*policy\.models\.unisolated=true"
    ):
        process_of(save()).predict(ROWS)


@pytest.mark.integration
@pytest.mark.usefixtures("without_namespaces", "without_bubblewrap")
@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("with open('{outside}', 'w') as file: file.write('x')", "files"),
        ("import socket\nsocket.socket()", "network"),
        ("import os\nos.fork()", "processes"),
        ("import os\nos.environ['THINFILE_SECRET']", "environment"),
        ("np.ones(50 * 2**27)", "memory"),
    ],
)
def test_an_explicit_setting_runs_it_without_namespaces_and_under_the_other_limits(
    code: str, limit: str, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THINFILE_SECRET", "a secret")
    process = process_of(save(code.format(outside=tmp_path / "written")), unisolated=True)
    assert process.isolation == UNISOLATED
    with pytest.raises(ThinfileError, match=f"{TITLE} was stopped by the limit on {limit}"):
        process.predict(ROWS)
    assert not (tmp_path / "written").exists()


CHANGES = """
open('{outside}', 'x')
open('{kept}', 'r+')
open('{kept}', 'a')
os.unlink('{kept}')
os.truncate('{kept}', 0)
os.rename('{kept}', '{outside}')
os.link('{kept}', '{outside}')
os.symlink('{kept}', '{outside}')
os.mkdir('{outside}')
os.mkfifo('{outside}')
os.chmod('{kept}', 0o777)
os.chown('{kept}', 1, 1)
os.utime('{kept}', (0, 0))
os.setxattr('{kept}', 'user.x', b'x')
fcntl.flock(open('{kept}'), fcntl.LOCK_SH)
fcntl.lockf(open('{kept}'), fcntl.LOCK_SH)
os.kill({ours}, signal.SIGKILL)
os.kill(-1, signal.SIGKILL)
os.killpg(os.getpgid({ours}), signal.SIGKILL)
signal.pidfd_send_signal(os.pidfd_open({ours}), signal.SIGKILL)
os.setpriority(os.PRIO_PROCESS, {ours}, 19)
os.sched_setaffinity({ours}, [0])
os.chroot('/')
"""
"""What would change files or disturb other processes, a line each."""

TRYING = """import fcntl, os, signal
succeeded = []
for line in {lines!r}:
    try:
        exec(line)
        succeeded.append(line)
    except OSError:
        pass
os.kill(os.getpid(), 0)
raise LookupError(str(succeeded))"""


@pytest.mark.integration
@pytest.mark.usefixtures("without_namespaces", "without_bubblewrap")
def test_without_namespaces_nothing_is_changed_and_no_process_is_reached(save: Save, tmp_path: Path) -> None:
    kept, written = tmp_path / "kept", tmp_path / "written"
    kept.write_text("a ledger")
    before = kept.stat()
    lines = CHANGES.format(outside=written, kept=kept, ours=os.getpid()).split("\n")[1:-1]
    with pytest.raises(ThinfileError, match=r"LookupError: \[\]"):
        process_of(save(TRYING.format(lines=lines)), unisolated=True).predict(ROWS)
    after = kept.stat()
    assert kept.read_text() == "a ledger"
    assert (after.st_mode, after.st_nlink, after.st_mtime_ns) == (before.st_mode, before.st_nlink, before.st_mtime_ns)
    assert not written.exists()


PROBE = """
import json, os, socket, subprocess, sys
ours, theirs = socket.socketpair()
program = "import os, socket; socket.socket(fileno=%d).send(f'{os.getpid()} {os.listdir(chr(47))}'.encode())"
python = os.path.realpath(sys.executable)
reading, status = os.pipe()
plan = dict(command=[python, "-I", "-S", "-c", program % theirs.fileno()], environment={}, placed={},
            folders=[os.path.dirname(os.__file__), python], channel=theirs.fileno(), memory=2**32, enters=True,
            isolated=True, status=status, instructions=json.loads(sys.argv[1]))
source = ["-I", "-S", "-c", sys.stdin.read(), json.dumps(plan)]
guard = subprocess.Popen([python, *source], stdin=subprocess.PIPE, pass_fds=[theirs.fileno(), status])
theirs.close()
os.close(status)
assert os.read(reading, 100) == b"ready"
print(ours.recv(2**16).decode())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="every user can read the system's Python")
def test_an_ordinary_user_can_isolate_a_process_too() -> None:
    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", PROBE, json.dumps(filter_of_system_calls(isolated=True))],
        input=Path(isolation.__file__).read_text(),
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    number, _, folders = done.stdout.partition(" ")
    assert number == "1", done
    assert set(ast.literal_eval(folders)) <= {"dev", "etc", "lib", "lib64", "tmp", "usr"}
