"""The identity of a process, and whether it still lives; what a dead one left behind may be cleared."""

import multiprocessing
import os
import pwd
import socket
import threading
from multiprocessing.connection import wait
from pathlib import Path

GONE = "gone"
"""In place of the start of a process that has ended."""


def process_identity(number: int | None = None) -> str:
    """Return host, number and start of a process, by default this one.

    The host includes its boot and its process numbering, for containers that share a name do not see each other.
    """
    number = os.getpid() if number is None else number
    return f"{_host()}:{number}:{_started(number)}"


def is_dead(identity: str) -> bool:
    """Return whether a process of this host is gone; False for other hosts."""
    host, _, process = identity.partition(":")
    number = process.partition(":")[0]
    return host == _host() and number.isdigit() and process_identity(int(number)) != identity


def is_alive(identity: str) -> bool:
    """Return whether a process of this host lives; False for other hosts."""
    host, _, process = identity.partition(":")
    number = process.partition(":")[0]
    if host != _host() or not number.isdigit() or _started(int(number)) == GONE:
        return False
    return process_identity(int(number)) == identity


def end_with_parent() -> None:
    """Watch the parent process from now on: a worker whose parent was killed would wait for ever."""
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def account() -> str:
    """Return whose account runs this process: as the system knows it, for anybody can set the environment's USER."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that has no name
        return f"uid {os.getuid()}"


def _host() -> str:
    """Return a name within which process numbers are unique."""
    boot, numbering = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    try:
        boot_and_namespace = f"{boot.read_text().strip()[:8]}-{numbering.readlink().name.strip('pid:[]')}"
    except OSError:  # no /proc: the name alone has to do
        boot_and_namespace = ""
    return f"{socket.gethostname()}-{boot_and_namespace}"


def _started(number: int) -> str:
    """Return when a process started, in clock ticks since boot, so that a reused number can be distinguished.

    A killed process that is still a zombie in the process table counts as gone.
    """
    if not Path("/proc/self/stat").exists():
        return _alive(number)
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return GONE
    return GONE if fields[0] in "ZX" else fields[19]


def _alive(number: int) -> str:
    """Return whether a process lives, on systems without /proc."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return GONE
    except PermissionError:
        pass
    return "alive"
