"""The README says what the evidence says."""

from tests.evidence.tables import ROOT, readme_with, table


def test_the_readme_shows_the_figures_of_the_evidence() -> None:
    assert (ROOT / "README.md").read_text() == readme_with(table())
