"""The README says what the evidence says."""

import pytest

from tests.evidence.conftest import Evidence
from tests.evidence.tables import ROOT, readme_with, table


def test_the_readme_shows_the_figures_of_the_evidence(evidence: Evidence) -> None:
    if evidence.full:
        pytest.skip("the figures are being made; their table is written after the run")
    assert (ROOT / "README.md").read_text() == readme_with(table())
