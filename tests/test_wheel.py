"""The wheel in an environment of its own, used where other packages have the names of Thinfile's."""

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration  # builds a wheel and installs it with all that it needs

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipelines", "experiments", "monitoring")
IMPORTED = 'raise SystemExit("a package of the user was imported")\n'

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "workspace", "__pycache__"))
    _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it requires, in the versions of the lock file, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    versions = re.findall(r"^[a-z0-9][\w.-]*==[^\\\n]*", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(versions))
    venv.create(folder, with_pip=True)
    _run(folder / "bin" / "python", "-m", "pip", "install", "--constraint", folder / "constraints.txt", wheel)
    return folder


@pytest.fixture
def command(environment: Path, tmp_path: Path) -> Command:
    """Runs a program of the environment in a folder with packages `pipelines`, `experiments` and `monitoring`.

    PYTHONPATH has such packages too.
    """
    for folder in (tmp_path / "project", tmp_path / "on_the_path"):
        for name in PACKAGES:
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").write_text(IMPORTED)
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "THINFILE_"))}
    variables |= {"PYTHONPATH": str(tmp_path / "on_the_path"), "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"}

    def run(program: str, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [environment / "bin" / program, *words],
            cwd=tmp_path / "project",
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def _run(*words: object, cwd: Path = ROOT) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, cwd=cwd, env=variables)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_it_has_one_folder_with_every_file_of_the_packages(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in shipped if ".dist-info/" not in name} == {"thinfile"}
    files = {path for top in ("conf", *PACKAGES) for path in (ROOT / top).rglob("*") if path.is_file()}
    ours = {f"thinfile/_packages/{path.relative_to(ROOT)}" for path in files if "__pycache__" not in path.parts}
    moved = {f"thinfile/_packages/pipelines/{name}" for name in ("command/__main__.py", "py.typed")}
    front = {f"thinfile/{name}" for name in ("__init__.py", "__init__.pyi", "__main__.py", "py.typed")}
    assert {name for name in shipped if name.startswith("thinfile/")} == (ours - moved) | front


def test_it_has_the_licence_and_the_notice_of_third_parties(wheel: Path) -> None:
    shipped = zipfile.ZipFile(wheel).namelist()
    assert {name.rpartition("/")[2] for name in shipped if "/licenses/" in name} == {"LICENSE", "NOTICE"}


def test_the_default_installation_is_below_its_size(environment: Path) -> None:
    done = subprocess.run(["du", "-s", "-B1", environment], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[0]) < 1.2e9


def test_the_demo_runs_beside_packages_of_the_same_names(command: Command, tmp_path: Path) -> None:
    done = command("thinfile", "demo", "trials=2")
    assert done.returncode == 0, done.stderr
    assert "The demo is complete." in done.stdout
    assert len([*(tmp_path / "project" / "workspace").rglob("report.html")]) == 2
    assert "candidate=hist_gradient_boosting" in done.stdout
    assert "without Evidently's dashboard: run pip install 'thinfile[evidently]' to have it" in done.stdout
    assert "evidently ui" not in done.stdout


def test_processes_of_workers_and_launchers_use_the_packages_of_the_wheel(command: Command, tmp_path: Path) -> None:
    words = ["name=small", "customers=300", "months=6", "threads=2"]
    done = command("python", "-m", "thinfile", "simulate", *words)  # a process for each thread
    assert done.returncode == 0, done.stderr
    done = command("thinfile", "tune", "candidate=scorecard", "trials=4", "workers=2")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["tune", "candidate=catboost"], "catboost"),
        (["tune", "experiment=boosted_trees"], "catboost"),
        (["prepare", "raw.folder=x", "loan.as_of=2026-01-01", "engine=spark"], "spark"),
    ],
)
def test_what_needs_an_extra_names_it_in_one_message(words: list[str], extra: str, command: Command) -> None:
    done = command("thinfile", *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert f"pip install 'thinfile[{extra}]'" in done.stderr


def test_a_type_checker_sees_the_types_of_the_python_api(environment: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from thinfile import TuneSettings, tune, watch\n\n"
        'version: int | None = tune("data=german_credit", trials=3).version\n'
        'verdict: str = watch(period="2026-01").verdict  # type: ignore[assignment]  # may be None\n'
        "tune(TuneSettings(trials=3))\n"
    )
    python = environment / "bin" / "python"
    words = ["mypy", "--strict", "--python-executable", python, "--cache-dir", tmp_path / "cache", program]
    _run(sys.executable, "-m", *words, cwd=tmp_path)


def test_a_package_that_the_process_has_imported_is_refused_in_one_message(command: Command, tmp_path: Path) -> None:
    own = tmp_path / "project" / "pipelines"
    (own / "__init__.py").write_text("")
    done = command("python", "-c", "import pipelines, thinfile; raise SystemExit(thinfile.main(['ui']))")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: this process has imported another package named 'pipelines' ({own}), and Thinfile has one of that "
        "name; use Thinfile in another process, for example by the command `thinfile`\n"
    )
