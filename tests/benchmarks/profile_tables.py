"""Profiles a table: python -m tests.benchmarks.profile_tables FOLDER REFERENCE.json [OUT.json].

With OUT the table is a window in the bins of the reference, otherwise it is the reference.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from monitoring.windows.external_tables import read_profile
from pipelines.credit.population import Population
from pipelines.profiles.engines import engine_of
from pipelines.profiles.passes import open_table
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.settings import ProfileEngine
from pipelines.profiles.table_profile import TableProfile, profile_reference, profile_window

THREADS = 2


def profile(folder: Path, reference: Path, *, is_window: bool) -> TableProfile:
    """Return the profile of a table."""
    table, roles = open_table(folder), TableRoles()
    with (
        TemporaryDirectory() as scratch,
        engine_of(ProfileEngine.threads, threads=THREADS, memory="500MB", scratch=Path(scratch)) as engine,
    ):
        if is_window:
            return profile_window(engine, table, read_profile(reference).reference, roles, most_sampled=5000)
        return profile_reference(engine, table, roles, Population.applications, most_sampled=5000)


if __name__ == "__main__":
    places = [Path(word) for word in sys.argv[1:]]
    places[-1].write_text(profile(places[0], places[1], is_window=len(places) == 3).to_json())
