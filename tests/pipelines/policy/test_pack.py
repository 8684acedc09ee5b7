"""Policy packs: each loads wherever a policy is chosen, holds together, and says which rule a line is for."""

import json
import re
from typing import Any

import pytest
import yaml

import thinfile
from pipelines.command.hydra_application import configuration_folder
from pipelines.errors import ConfigurationError
from pipelines.policy.pack import GateSettings, PolicySettings, ReasonSettings, check_policy, policy_hash
from pipelines.policy.stored_policies import keep_policy, kept_policy, policy_from
from pipelines.secrets.environment_text import EnvironmentText
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace

FOLDER = configuration_folder() / "policy"
PACKS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
JURISDICTIONS = [name for name in PACKS if name != "default"]

YEAR = re.compile(r"\b(19|20)\d\d\b")


def policy_of(name: str, verb: str, capsys: pytest.CaptureFixture[str]) -> PolicySettings:
    """Return a pack as a verb composes it."""
    from omegaconf import OmegaConf

    assert thinfile.main([verb, f"policy={name}", "workspace=/w", "--cfg", "job", "--resolve"]) == 0
    told: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)["policy"]
    schema = OmegaConf.structured(PolicySettings)
    OmegaConf.set_struct(schema.reasons.wording, False)
    settings = OmegaConf.to_object(OmegaConf.merge(schema, told))
    assert isinstance(settings, PolicySettings)
    return settings


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("verb", ["promote", "score", "tune"])
def test_every_pack_holds_together_wherever_it_is_chosen(
    name: str, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = policy_of(name, verb, capsys)
    check_policy(policy)
    assert policy.name == name


def test_packs_differ_where_the_rules_do(capsys: pytest.CaptureFixture[str]) -> None:
    packs = {name: policy_of(name, "promote", capsys) for name in PACKS}
    assert len({policy_hash(pack) for pack in packs.values()}) == len(PACKS)
    american = packs["us_lending"]
    assert american.reasons.most == 4
    assert american.fairness.lowest_impact_ratio == 0.8
    assert (american.approvals.people, american.approvals.signed) == (2, True)
    assert not american.approvals.requester_may_approve
    refer = {name for name, pack in packs.items() if pack.automation.value == "declines_are_referred"}
    assert refer == {"eu", "china"}
    assert {name for name, pack in packs.items() if not pack.reviews.requester_may_decide} == refer
    bounded = {name for name, pack in packs.items() if pack.fairness.highest_expected_to_observed}
    assert bounded == {"eu", "china"}
    assert all(packs[name].reasons.notice and packs[name].reasons.opening for name in JURISDICTIONS)


@pytest.mark.parametrize("name", JURISDICTIONS)
def test_every_paragraph_of_a_pack_names_its_rule_and_when_it_was_made(name: str) -> None:
    head, *paragraphs = (FOLDER / f"{name}.yaml").read_text().split("\n\n")
    assert "No legal advice" in head
    assert set(yaml.safe_load(head)) == {"defaults", "name"}
    assert len(paragraphs) >= 3
    for paragraph in paragraphs:
        comments = [line for line in paragraph.splitlines() if line.startswith("#")]
        assert comments[0] == paragraph.splitlines()[0]
        assert YEAR.search(" ".join(comments))
        assert len(yaml.safe_load(paragraph)) == 1


def test_what_a_policy_decides_is_not_read_from_the_environment() -> None:
    advisory = EnvironmentText("discrimination", "${oc.env:LENIENT}")
    with pytest.raises(ConfigurationError, match=r"policy\.gates\.advisory reads the environment \(\$\{oc\.env:LENI"):
        check_policy(PolicySettings(gates=GateSettings(advisory=[advisory])))
    texts = PolicySettings(reasons=ReasonSettings(notice=EnvironmentText("Call 555", "${oc.env:NOTICE}")))
    check_policy(texts)
    other = PolicySettings(reasons=ReasonSettings(notice=EnvironmentText("Call 556", "${oc.env:NOTICE}")))
    assert policy_hash(texts) == policy_hash(other) != policy_hash(PolicySettings())


def test_a_policy_is_read_back_with_its_texts_from_the_environment(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = EnvironmentText("old", "${oc.env:NOTICE}")
    policy = PolicySettings(reasons=ReasonSettings(notice=notice, opening="costs ${x}"))
    kept = keep_policy(workspace, policy)
    assert "old" not in (workspace.policies / f"{kept}.json").read_text()
    monkeypatch.setenv("NOTICE", "new")
    found = kept_policy(workspace, kept)
    assert (found.reasons.notice, found.reasons.opening) == ("new", "costs ${x}")
    again = keep_policy(workspace, found)
    monkeypatch.setenv("NOTICE", "newest")
    assert policy_hash(kept_policy(workspace, again)) == again


def test_bands_and_what_decides_are_set_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["policy.fairness.bands.AGE=[25,62]", "policy.gates.decides=worst_end"]
    rule = "policy.gates.decides_by_gate={impact ratio: best_end}"
    assert thinfile.main(["promote", *words, rule, "workspace=/w", "--cfg", "job", "--resolve"]) == 0
    policy = yaml.safe_load(capsys.readouterr().out)["policy"]
    assert policy["fairness"]["bands"]["AGE"] == [25, 62]
    assert policy["gates"]["decides"] == "worst_end"
    assert policy["gates"]["decides_by_gate"] == {"calibration by group": "best_end", "impact ratio": "best_end"}


def test_the_american_pack_has_a_band_of_the_elderly(capsys: pytest.CaptureFixture[str]) -> None:
    assert policy_of("us_lending", "promote", capsys).fairness.bands["age"][-1] == 62


def test_a_policy_that_is_read_back_has_the_same_hash(capsys: pytest.CaptureFixture[str]) -> None:
    for policy in (PolicySettings(), *(policy_of(name, "promote", capsys) for name in PACKS)):
        assert policy_hash(policy_from(json.loads(json.dumps(to_json_values(policy))))) == policy_hash(policy)
