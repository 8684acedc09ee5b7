"""What a number was made with is recorded."""

import json
import re
from importlib.metadata import version

from pipelines.command.provenance import PACKAGES, git_commit, provenance


def test_a_record_names_code_packages_machine_and_threads() -> None:
    found = json.loads(json.dumps(provenance(2)))
    assert found["threads"] == 2
    assert found["packages"] == {package: version(package) for package in PACKAGES}
    assert {"git_commit", "python", "platform", "machine", "cores", "command"} <= set(found)


def test_a_commit_is_a_hash_and_a_mark_where_files_differ() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}\+?|unknown", git_commit())
