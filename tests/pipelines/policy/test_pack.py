"""Policy packs: each loads wherever a policy is chosen, holds together, and says which rule a line is for."""

import re
from typing import Any

import pytest
import yaml

import thinfile
from pipelines.command.hydra_application import configuration_folder
from pipelines.policy.pack import PolicySettings, check_policy, policy_hash

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
    assert american.approvals.allowed_signers == "/w/allowed_signers"
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
