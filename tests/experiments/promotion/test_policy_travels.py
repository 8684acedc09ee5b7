"""The policy of a promotion goes with its model: score decides under it, and printed commands keep the folder."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

import thinfile
from pipelines.command.verb import ExitCode
from tests.pipelines.batch.conftest import applications, written

pytestmark = pytest.mark.integration


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = thinfile.main([*words])
    return code, capsys.readouterr().out


def test_score_decides_under_the_policy_of_the_promotion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    team = tmp_path / "team"
    (team / "policy").mkdir(parents=True)
    (team / "policy" / "strict.yaml").write_text(
        "defaults: [policy_schema, _self_]\nname: strict\napprove_from: 620\ngates: {minimum_auc: 0.5}\n"
    )
    table = applications(1500)
    bad = table.income.rank(pct=True).fillna(0.5) + np.random.default_rng(1).uniform(size=len(table)) < 0.8
    table = table.assign(bad=bad.astype(int))
    data = ["data=table", f"data.path={written(table, tmp_path / 'table.parquet')}", "data.label=bad"]
    roles = ["data.id=application_id", "data.ignored=[customer_id,region,sex]"]
    # given a model that was tuned and promoted under a policy of the team
    folder = f"--config-dir={team}"
    assert run(capsys, "tune", *data, *roles, "candidate=scorecard", "trials=1", "policy=strict", folder)[0] == 0
    code, told = run(capsys, "promote", folder)  # the policy that it was tuned under, unnamed
    assert (code, "policy  strict (" in told) == (ExitCode.DONE, True), told
    # then the printed command keeps the folder, and runs as it is printed
    (step,) = [line.strip() for line in told.splitlines() if line.strip().startswith("thinfile score")]
    assert folder in step
    words = shlex.split(step.replace("FILE", str(tmp_path / "table.parquet")).replace("YYYY-MM", "2026-10"))
    code, told = run(capsys, *words[1:], "data.id=application_id")
    assert code == ExitCode.DONE
    assert "policy: strict, that of its promotion" in told
    # and a command without any word of it decides under the same policy
    plain = ["score", *data[:2], "data.id=application_id", "output=json"]
    answer = json.loads(run(capsys, *plain, "period=2026-11")[1])
    assert (answer["policy"], answer["is_policy_of_promotion"]) == ("strict", True)
    # another one is used where it is named
    answer = json.loads(run(capsys, *plain, "period=2026-12", "policy=default")[1])
    assert (answer["policy"], answer["is_policy_of_promotion"]) == ("default", False)
    # a judgement under another policy is an exception that every view names
    code, told = run(capsys, "promote", "request", "version=1", "policy=default")
    assert "champion already" in told
