"""Makes the pictures and the terminal output of the README and the documentation from a real run of the demo.

Run `PYTHONPATH=. .venv/bin/python docs/screenshots.py`; it needs Chromium. With `tools` only the pictures of the tools
that open a workspace are made: MLflow, optuna-dashboard, Evidently and Thinfile's home page.
"""

import html
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.tool_pages import shoot_tools
from tests.pay_later import simulate

HERE = Path(__file__).resolve().parent
MODEL = "model=demo_german_credit"
COMMANDS = {
    "promote": ("promote", MODEL),
    "compare": ("compare", MODEL),
    "history": ("promote", "history", MODEL),
    "watch": ("watch", "period=2026-02", MODEL),
}
PREPARE = ("prepare", "--config-dir", "examples", "raw=pay_later", "loan=pay_in_30_days", "loan.as_of=2024-09-01")
PAY_LATER = {
    "pay_later_check": (*PREPARE, "check=true"),
    "pay_later_prepare": (*PREPARE, "features.marketplaces=[nord,sued]"),
    "": ("tune", "data=marketplace", "candidate=scorecard", "trials=5"),
    "pay_later_promote": ("promote",),
    " ": ("score", "data=marketplace", "period=2024-08", "data.segments=[marketplace]"),
    "pay_later_watch": ("watch", "period=2024-08"),
}
"""The commands of the page of the pay-later lender, by the file that keeps their output."""

TERMINAL = """<meta charset="utf-8"><style>body{{margin:0;background:#1b2230;color:#e6eaf0;padding:18px 22px;
font:14px/1.45 "DejaVu Sans Mono",Menlo,Consolas,monospace}}
pre{{margin:0;white-space:pre-wrap}}b{{color:#7fd1a6}}</style><pre>{}</pre>"""


def main() -> None:
    """Run the demo in a temporary workspace and write docs/images/*.png and docs/examples/*.txt."""
    if sys.argv[1:] == ["tools"]:
        tools()
        return
    with tempfile.TemporaryDirectory(prefix="lender-") as folder:
        run(folder, "demo")
        for name, words in COMMANDS.items():
            keep(name, words, run(folder, *words), folder)
        workspace = Path(folder) / "workspace"
        report = next(workspace.glob("reports/**/2026-02/report.html"))
        document = next(workspace.rglob("model_document.html"))
        shoot(report.as_uri(), "report", 1280, 900)
        shoot(report.as_uri(), "report-phone", 400, 800)
        shoot(document.as_uri(), "document", 1280, 900)
        study(folder)
        shoot_tools(workspace, MODEL.partition("=")[2], HERE / "images")
    pay_later()
    terminal = Path(tempfile.mkdtemp()) / "terminal.html"
    terminal.write_text(TERMINAL.format(html.escape((HERE / "examples" / "promote.txt").read_text())))
    shoot(terminal.as_uri(), "terminal", 960, 560)
    shutil.rmtree(terminal.parent)


def tools() -> None:
    """Run the demo and a study, and write the pictures of the tools."""
    with tempfile.TemporaryDirectory(prefix="lender-") as folder:
        run(folder, "demo")
        study(folder)
        shoot_tools(Path(folder) / "workspace", MODEL.partition("=")[2], HERE / "images")


def study(folder: str) -> None:
    """Tune two families and write a picture of the study's page."""
    families = "candidate.families=[scorecard,hist_gradient_boosting]"
    tuned = run(folder, "tune", "candidate=auto", families, "trials=32", "model=german", "output=json")
    page = run(folder, "compare", f"study={json.loads(tuned)['study']}", "model=german", "output=json")
    shoot(Path(json.loads(page)["page"]).as_uri(), "study", 1280, 1240)


def pay_later() -> None:
    """Run the commands of the page of the pay-later lender and keep what four of them print."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE / "examples", Path(folder) / "examples")
        simulate().write(Path(folder) / "pay_later")
        for name, words in PAY_LATER.items():
            output = run(folder, *words)
            if name.strip():
                keep(name, words, output, folder)


def run(folder: str, *words: str) -> str:
    """Run a verb and return what it prints, at 80 columns."""
    done = subprocess.run(
        [sys.executable, "-m", "thinfile", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def keep(name: str, words: tuple[str, ...], output: str, folder: str) -> None:
    """Write a command and its output to docs/examples."""
    (HERE / "examples").mkdir(exist_ok=True)
    (HERE / "examples" / f"{name}.txt").write_text(f"$ thinfile {' '.join(words)}\n{output.replace(folder + '/', '')}")


def shoot(address: str, name: str, width: int, height: int) -> None:
    """Write a picture of the top of a page."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "Chromium is not installed"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=8000")
    with tempfile.TemporaryDirectory() as profile:
        picture = f"--screenshot={HERE / 'images' / name}.png"
        size = f"--window-size={width},{height}"
        command = [chromium, *flags, f"--user-data-dir={profile}", size, picture, address]
        subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
