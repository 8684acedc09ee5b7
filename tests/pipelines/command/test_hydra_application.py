"""The front door seen from the command line: what Hydra's users know works, what is wrong is told once."""

import json
import logging
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import thinfile
from pipelines.command import hydra_adapter
from pipelines.command.help_page import MOST_EXAMPLES, examples
from pipelines.command.hydra_application import configuration_folder
from pipelines.command.provenance import own_version
from pipelines.command.settings_reference import settings_of
from pipelines.command.verb import Outcome
from pipelines.command.verbs import VERBS, schema_of


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Told]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a verb in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("HYDRA_FULL_ERROR", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # what a verb sets is set back

    def once(*words: str) -> Told:
        try:
            code = thinfile.main(list(words))
        except SystemExit as ended:  # Hydra's own pages end the process
            code = int(ended.code or 0)
        return Told(code, *capsys.readouterr())

    return once


@pytest.mark.integration
@pytest.mark.parametrize("flags", [["--help"], ["--cfg", "job"], ["--info", "defaults"], ["--hydra-help"]])
def test_hydras_own_pages_answer_and_write_nothing(flags: list[str], run: Run, tmp_path: Path) -> None:
    told = run("tune", *flags)
    assert told.code == 0
    assert told.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_examples_and_every_setting_at_80_columns(verb: str, run: Run) -> None:
    page = run(verb, "--help").out
    lines = page.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert page.index("examples:") < page.index("settings:")
    assert f"  thinfile {verb}" in page
    assert "  output=text" in page


def test_help_shows_choices_defaults_and_allowed_values(run: Run) -> None:
    page = run("tune", "candidate=catboost", "--help").out
    assert "candidate=auto | blend | catboost | extra_trees | hist_gradient_boosting |" in page
    assert "trials=null                 Trials of the study; 30 unless `time` is set." in page
    assert "candidate.parameters.depth=6" in page
    assert "(best | fair)" in page


@pytest.mark.parametrize("verb", VERBS)
def test_every_setting_has_a_meaning(verb: str) -> None:
    assert [one.key for one in settings_of(schema_of(verb)) if not one.meaning] == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_of_a_verb_compose(verb: str, run: Run) -> None:
    for example in examples(configuration_folder() / f"{verb}.yaml")[:MOST_EXAMPLES]:
        words = [word.partition(",")[0] for word in shlex.split(example)[1:] if word != "--multirun"]
        done = run(*words, "--cfg", "job")
        assert (done.code, done.err) == (0, ""), example


def test_the_adapter_was_written_for_the_installed_hydra() -> None:
    assert version("hydra-core").startswith(f"{hydra_adapter.VERSION}."), "check pipelines/command/hydra_adapter.py"


def test_an_old_key_works_on_the_command_line_and_names_the_new_one(run: Run) -> None:
    done = run("tune", "data=table", "data.by_lot=lucky", "--cfg", "job")
    assert "random_approval: lucky" in done.out
    assert "'data.by_lot' is now 'data.random_approval'" in done.err


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("data/loans.yaml", "defaults: [data_schema, _self_]\nsource: table\nthrough_the_door: all.csv\n"),
        ("experiment/loans.yaml", "# @package _global_\ndata:\n  source: table\n  through_the_door: all.csv\n"),
    ],
)
def test_an_old_key_works_in_a_users_file(file: str, text: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    group = path.parent.name
    done = run("tune", f"{group}=loans", f"--config-dir={tmp_path / 'mine'}", "--cfg", "job")
    assert "ttd_population: all.csv" in done.out
    assert "is now 'data.ttd_population'" in done.err


def test_a_key_below_a_single_value_is_an_unknown_key(run: Run) -> None:
    done = run("tune", "search.trials=40")
    assert done.code == 2
    assert done.err == "error: unknown key 'search.trials'; did you mean 'trials'?\n"


def test_overrides_reach_the_settings_wherever_they_stand(run: Run) -> None:
    told = run("tune", "trials=7", "--cfg", "job", "candidate=catboost", "candidate.parameters.depth=4").out
    assert "trials: 7" in told
    assert "depth: 4" in told


def test_the_workspace_comes_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THINFILE_WORKSPACE", "/somewhere/else")
    assert "workspace: /somewhere/else" in run("score", "--cfg", "job", "--resolve").out


@pytest.mark.parametrize("words", [["--version"], ["tune", "--version"], ["tune", "trials=3", "--version"]])
def test_the_version_is_that_of_thinfile(words: list[str], run: Run) -> None:
    assert run(*words) == Told(0, f"thinfile {own_version()}\n", "")


def test_own_choices_are_in_the_help(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine" / "policy").mkdir(parents=True)
    (tmp_path / "mine" / "policy" / "ours.yaml").write_text("defaults: [policy_schema, _self_]\nname: ours\n")
    assert "policy=china | default | eu | ours | us_lending" in run("tune", "--help", "--config-dir=mine").out
    monkeypatch.setenv("THINFILE_CONFIG_DIR", str(tmp_path / "mine"))
    assert "policy=china | default | eu | ours | us_lending" in run("tune", "--help").out


def test_a_teams_folder_is_the_default_and_a_flag_comes_before_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("team", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "defaults.yaml").write_text(f"workspace: of_{name}\n")
    monkeypatch.setenv("THINFILE_CONFIG_DIR", str(tmp_path / "team"))
    assert "workspace: of_team" in run("tune", "--cfg", "job").out
    assert "workspace: of_mine" in run("tune", "--cfg", "job", "--config-dir=mine").out
    monkeypatch.setenv("THINFILE_CONFIG_DIR", str(tmp_path / "nowhere"))
    assert f"THINFILE_CONFIG_DIR '{tmp_path / 'nowhere'}' is not a folder; create it" in run("tune").err


def test_next_commands_name_the_folder_of_a_flag_and_not_that_of_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr("monitoring.cli._ui", lambda _: Outcome({}, next_steps=["thinfile watch period=2026-01"]))
    assert f"thinfile watch period=2026-01 --config-dir={tmp_path / 'mine'}" in run("ui", "--config-dir=mine").out
    monkeypatch.setenv("THINFILE_CONFIG_DIR", str(tmp_path / "mine"))
    assert "--config-dir" not in run("ui").out


def test_hydras_verbose_setting_shows_the_log_lines_of_a_logger(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def task(_: object) -> Outcome:
        logging.getLogger("some.library").debug("a detail")
        return Outcome({})

    monkeypatch.setattr("monitoring.cli._ui", task)
    try:
        assert "a detail" not in run("ui").err
        assert "a detail" in run("ui", "hydra.verbose=[some.library]").err
        assert "a detail" in run("ui", "hydra.verbose=true").err
    finally:
        logging.getLogger("some.library").setLevel(logging.NOTSET)
        logging.getLogger().setLevel(logging.WARNING)


def test_a_users_folder_can_add_a_choice_and_change_a_verb(run: Run, tmp_path: Path) -> None:
    # given a data set of the user's own, and another usual length of a search
    (tmp_path / "mine" / "data").mkdir(parents=True)
    (tmp_path / "mine" / "data" / "loans.yaml").write_text(
        "defaults: [data_schema, _self_]\nsource: table\npath: loans.csv\nlabel: bad\n"
    )
    (tmp_path / "mine" / "defaults.yaml").write_text("workspace: mine\n")
    told = run("tune", "data=loans", f"--config-dir={tmp_path / 'mine'}", "--cfg", "job").out
    assert "path: loans.csv" in told
    assert "workspace: mine" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score", "period=2026-01", "data.pth=x"], "unknown key 'data.pth'; did you mean path?"),
        (["score", "period=2026-01", "policy.scale.base_odd=2"], "unknown key 'policy.scale.base_odd'; did you mean"),
        (["score", "period=2026-01", "+policy.scale.foo=2"], "unknown key 'policy.scale.foo'; known: base_odds"),
        (["score", "period=2026-01", "population=books"], "expected one of [applications, book]"),
        (["score", "period=2026-01", "output=jsn"], "expected one of [text, json]"),
        (["score", "period=2026-01", "data=tabel"], "unknown choice data=tabel; did you mean table?"),
        (
            ["score", "period=2026-01", "data.numeric=income"],
            "data.numeric: expected a list; write data.numeric=[VALUE]",
        ),
        (["score", "period=2026-01", "debug=perhaps"], "debug: "),
        (["score", "period=2026-01", "data.max_quarantined=some"], "data.max_quarantined: "),
        (["score", "period=2026-01", "model=it's"], "an override is written key=value, received 'model=it's'"),
        (["score", "period=${nowhere}"], "${nowhere} names no key"),
        (["score", "period=${oc.env:NOT_SET}"], "NOT_SET of ${oc.env:NOT_SET} is not set; set it, or write ${oc.env"),
        (["tune", "--cfg", "jobs"], "invalid choice: 'jobs' (choose from"),
        (["tune", "-m", "--cfg", "job"], "--multirun and --cfg exclude each other; leave out --multirun"),
        (["tune", "--resolve"], "--resolve is an option of --cfg; add --cfg job"),
        (["tune", "--package", "data"], "--package is an option of --cfg; add --cfg job"),
        (["tune", "--experimental-rerun", "x.pickle"], "repeat a run with `thinfile replay run=ID`"),
        (["tune", "--config-path", "x"], "put a folder before it with --config-dir"),
        (["tune", "--config-name", "tun"], "unknown choice configuration=tun; did you mean tune?"),
        (["tune", "--mutirun"], "did you mean --multirun? --hydra-help lists the flags"),
        (["tune", "hydra/launcher=jobli"], "unknown choice hydra/launcher=jobli; "),
        (["tune", "final=averge"], "expected one of [auto, single, average, blend]; did you mean average?"),
        (["tune", "experment=baseline"], "unknown key 'experment'; did you mean experiment or experiment_name?"),
        (["tune", "+experment=baseline"], "unknown key 'experment'; did you mean experiment or experiment_name?"),
        (["tune", "experiment=baselin"], "unknown choice experiment=baselin; did you mean baseline?"),
        (["tune", "experiment=null"], "experiment=null names no choice; leave out experiment"),
        (["tune", "-m", "experiment=null,baseline"], "experiment=null names no choice; leave out experiment"),
        (["tune", "candidate.families=[catbost]"], "did you mean catboost?"),
        (["tune", "data.directions=[x]"], "data.directions: expected a mapping; write data.directions={NAME: VALUE}"),
        (["tune", "data.directions=x"], "data.directions: expected a mapping; write data.directions={NAME: VALUE}"),
        (["tune", "candidate.space.depth.lo=3", "candidate=catboost"], "did you mean low"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_told_once_and_nothing_is_written(
    words: list[str], message: str, run: Run, tmp_path: Path
) -> None:
    told = run(*words)
    assert told.code == 2
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1
    assert message in told.err
    assert list(tmp_path.iterdir()) == []


def test_one_job_answers_a_script_with_one_object(run: Run) -> None:
    told = run("score", "period=october", "output=json")
    assert told.json.keys() == {"exit_code", "error"}
    assert told.json["exit_code"] == told.code == 2


@pytest.mark.parametrize("periods", ["october", "october,november"])
def test_a_sweep_answers_a_script_with_one_array(periods: str, run: Run) -> None:
    told = run("score", "--multirun", f"period={periods}", "output=json")
    assert told.code == 2
    assert [set(answer) for answer in told.json] == [{"exit_code", "error"}] * len(periods.split(","))


@pytest.mark.parametrize("spelling", ["++output=json", "output='json'"])
def test_json_is_asked_for_in_any_spelling_of_hydra(spelling: str, run: Run) -> None:
    assert run("score", "period=october", spelling).json["exit_code"] == 2


def test_json_can_be_a_users_own_default(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "defaults.yaml").write_text("workspace: workspace\noutput: json\n")
    assert run("score", "period=october", f"--config-dir={tmp_path / 'mine'}").json["exit_code"] == 2


def test_a_sweep_that_cannot_start_answers_with_an_array_too(run: Run) -> None:
    told = run("tune", "--multirun", "candidate=catbost,scorecard", "output=json")
    assert [answer["exit_code"] for answer in told.json] == [2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score", "period=2026-01", "policy.bands=[a]"], "policy.bands"),
        (["tune", "candidate=catboost", "candidate.space.dept.low=3"], "did you mean depth"),
    ],
)
def test_a_wrong_item_of_a_list_or_mapping_is_explained(words: list[str], message: str, run: Run) -> None:
    told = run(*words)
    assert message in told.err
    assert ";" in told.err  # and then the next step


def test_a_wrong_request_writes_nothing(run: Run, tmp_path: Path) -> None:
    assert run("score", "period=2026-01").code == 2  # no champion
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind_in_the_process(run: Run) -> None:
    for _ in range(2):  # Hydra's global state is cleared, the second is like the first
        assert run("score", "period=october").code == 2


@pytest.mark.parametrize("words", ["columns={amount: total, order_id: no}", "columns.amount=total"])
def test_a_mapping_takes_names_of_the_user_s_own(words: str, run: Run) -> None:
    told = run("prepare", f"raw.tables.orders.{words}", "loan.as_of=2026-01-01", "--cfg", "job").out
    assert "amount: total" in told
