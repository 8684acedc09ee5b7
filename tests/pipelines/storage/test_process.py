"""A process is told from all others, and a dead one from a living one."""

import os
import subprocess
import sys

from pipelines.storage.process import is_dead, process_identity


def test_this_process_lives_under_one_name() -> None:
    assert process_identity() == process_identity(os.getpid())
    assert not is_dead(process_identity())


def test_a_process_that_ended_is_dead_before_and_after_its_parent_looks() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = process_identity(child.pid)
    assert not is_dead(identity)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie: ended, not yet looked at
    assert is_dead(identity)
    child.communicate()
    assert is_dead(identity)


def test_a_reused_number_is_another_process() -> None:
    host, number, _ = process_identity().rsplit(":", 2)
    assert is_dead(f"{host}:{number}:0")


def test_nothing_is_known_of_other_hosts_or_of_other_words() -> None:
    assert not is_dead("some-other-host:1:1")
    assert not is_dead("some words")
