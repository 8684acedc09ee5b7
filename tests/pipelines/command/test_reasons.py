"""A reason is a sentence of a person, and every verb that records one takes it as it is written."""

import pytest
import yaml

import thinfile

REASONS = ["new season, as agreed", "it's the quarterly refresh (Q3): see #12", "a=b {c} [d]", "42", 'they said "now"']


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize(
    "words",
    [
        ("promote", "request"),
        ("watch", "acknowledge", "period=2026-10"),
        ("review", "request", "decision=7"),
        ("erase", "customer=7"),
    ],
    ids=lambda words: words[0],
)
def test_a_reason_is_read_as_it_is_written(
    words: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert thinfile.main([*words, f"why={reason}", "--cfg", "job"]) == 0, capsys.readouterr().err
    assert yaml.safe_load(capsys.readouterr().out)["why"] == reason


def test_the_person_who_acknowledges_may_have_a_full_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["watch", "acknowledge", "period=2026-10", "by=Lee, Ann (risk)", "why=seen"]
    assert thinfile.main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err
    assert yaml.safe_load(capsys.readouterr().out)["by"] == "Lee, Ann (risk)"
