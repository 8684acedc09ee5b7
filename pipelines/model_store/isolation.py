"""Starts a program that reaches nothing but the folders that it is given: no network, no process, no file to write.

This is a script of its own: `python -I -S isolation.py PLAN`, where PLAN is a `Plan` in JSON. It enters namespaces of
Linux (user, mount, process ids, network, IPC, host name), makes a root folder of read-only bindings and an empty /tmp,
sets limits, filters system calls and executes the program. It imports the standard library alone.

The process that was started stays outside as a guard: when its standard input ends, because Thinfile closed it or was
killed, it ends the program and with it all of the program's process numbers.
"""

import ctypes
import errno
import json
import os
import resource
import select
import signal
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

UNSHARE = 0x10000000 | 0x20000 | 0x20000000 | 0x40000000 | 0x8000000 | 0x4000000
"""CLONE_NEWUSER, NEWNS, NEWPID, NEWNET, NEWIPC and NEWUTS."""

BIND, RECURSIVE, PRIVATE, NO_SUID, NO_DEVICES = 4096, 16384, 1 << 18, 2, 4
READ_ONLY, DETACH = 1, 2
PARENT_DEATH_SIGNAL, DROP_CAPABILITY, NO_NEW_PRIVILEGES, SECCOMP = 1, 24, 38, 22
CAPABILITIES, READ_AND_SEARCH = 64, 2

DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
LOADER = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
"""Where the shared libraries are that Python and its packages link to."""

SCRATCH = 64 * 2**20
"""Bytes that /tmp takes, and the largest file; a process that is not isolated writes none."""

THREADS = 256

BY_NUMBER = {"pivot_root": {"x86_64": 155, "aarch64": 41}, "mount_setattr": {"x86_64": 442, "aarch64": 442}}
"""System calls for which the C library has no function."""

OWN_NUMBER = -1
"""The operand of a filter that stands for the number of the process."""


@dataclass(frozen=True)
class Plan:
    """What to execute, and what it may use.

    Attributes:
        command: The program and its arguments.
        environment: Its environment.
        folders: Folders and files that it may read, each at its own path.
        placed: Folders and files that it may read, by the path at which it finds them.
        channel: The file descriptor that it inherits; the only one.
        status: A file descriptor that it does not inherit, on which it is reported whether it is executed.
        instructions: The filter of system calls, see `system_calls.py`.
        memory: Bytes of memory.
        enters: Whether to enter namespaces first; limits, environment and the filter of system calls apply without too.
        isolated: Whether the program is in namespaces, entered now or by bubblewrap before.
    """

    command: Sequence[str]
    environment: dict[str, str]
    folders: Sequence[str]
    placed: dict[str, str]
    channel: int
    status: int
    instructions: Sequence[Sequence[int]]
    memory: int
    enters: bool
    isolated: bool


READY = b"ready"
"""What is reported as the program is executed; only an error of that can follow."""


def main(text: str) -> int:
    """Start the program of a plan, wait for it or for the end of standard input, and return an exit code."""
    plan = Plan(**json.loads(text))
    try:
        if plan.enters:
            _enter_namespaces()
    except OSError as error:
        _report(plan, error)
        return 1
    child = os.fork()
    if child == 0:
        try:
            _become(plan)
        except BaseException as error:  # the child of a fork must not return
            _report(plan, error)
        os._exit(1)
    os.close(plan.channel)
    os.close(plan.status)
    return _guard(child)


def _report(plan: Plan, error: BaseException) -> None:
    """Write why the program is not executed."""
    os.write(plan.status, f"{error}"[:300].encode())


def _guard(child: int) -> int:
    """Wait until the child ends; end it where standard input ends or a signal to terminate comes."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    watched = os.pidfd_open(child)
    ready, _, _ = select.select([0, watched], [], [])
    if watched not in ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def _become(plan: Plan) -> None:
    """Turn this process into the program; it does not return."""
    os.setsid()
    _linux("prctl", PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if plan.enters:
        _make_root(plan)
    if plan.enters or (not plan.isolated and os.geteuid() == 0):
        _drop_capabilities(keep=() if plan.isolated else (READ_AND_SEARCH,))
    _limit(plan)
    _linux("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _close_files(plan.channel, plan.status)
    _filter_system_calls(plan.instructions)
    os.write(plan.status, READY)
    os.execve(plan.command[0], list(plan.command), plan.environment)


def _enter_namespaces() -> None:
    user, group = os.geteuid(), os.getegid()
    _linux("unshare", UNSHARE)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _make_root(plan: Plan) -> None:
    """Make a root folder of what the plan names, and enter it; nothing else remains reachable."""
    _linux("mount", None, b"/", None, RECURSIVE | PRIVATE, None)
    sources = {**{path: path for path in outermost([*LOADER, *plan.folders])}, **plan.placed}
    opened = {path: os.open(os.path.realpath(source), os.O_PATH) for path, source in sources.items()}
    opened |= {path: os.open(path, os.O_PATH) for path in DEVICES}
    root = Path("/tmp")
    size = f"size={SCRATCH},mode=755".encode()
    _linux("mount", b"tmpfs", str(root).encode(), b"tmpfs", NO_SUID | NO_DEVICES, size)
    for path in LOADER:
        if Path(path).is_symlink():
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (root / path[1:]).symlink_to(Path(path).readlink())
    for path, number in opened.items():
        _bind(number, root / path[1:], read_only=path not in DEVICES)
    (root / "tmp").mkdir()
    _linux("mount", b"tmpfs", str(root / "tmp").encode(), b"tmpfs", NO_SUID | NO_DEVICES, size)
    _set_attributes(root, READ_ONLY, recursive=False)
    os.chdir(root)
    _linux("pivot_root", b".", b".")
    _linux("umount2", b".", DETACH)
    os.chdir("/tmp")


def outermost(paths: Sequence[str]) -> list[str]:
    """Return the existing paths, as they are without links, that are not below another of them."""
    real = sorted({os.path.realpath(path) for path in paths if Path(path).exists()})
    return [path for path in real if not any(path.startswith(f"{other}/") for other in real)]


def _bind(number: int, target: Path, *, read_only: bool) -> None:
    """Show an opened file or folder at a path."""
    source = f"/proc/self/fd/{number}"
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _linux("mount", source.encode(), str(target).encode(), None, BIND | RECURSIVE, None)
    if read_only:
        _set_attributes(target, READ_ONLY | NO_SUID | NO_DEVICES, recursive=True)


def _set_attributes(target: Path, attributes: int, *, recursive: bool) -> None:
    wanted = struct.pack("<QQQQ", attributes, 0, 0, 0)
    here, below = -100, 0x8000 if recursive else 0
    _linux("mount_setattr", here, str(target).encode(), below, wanted, len(wanted))


def _drop_capabilities(keep: Sequence[int]) -> None:
    """Give up what root may do; the program does not get it back."""
    for capability in range(CAPABILITIES):
        if capability in keep:
            continue
        try:
            _linux("prctl", DROP_CAPABILITY, capability, 0, 0, 0)
        except OSError as error:
            if error.errno != errno.EINVAL:  # the last one that this kernel knows
                raise


def _limit(plan: Plan) -> None:
    limits = {
        resource.RLIMIT_AS: plan.memory,
        resource.RLIMIT_FSIZE: SCRATCH if plan.isolated else 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 512,
    }
    if plan.isolated:  # a user's other processes do not count within a namespace
        limits[resource.RLIMIT_NPROC] = THREADS
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _close_files(channel: int, status: int) -> None:
    """Close all files but the channel, and the status, which ends when the program is executed."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    first, second = sorted((channel, status))
    for low, high in ((3, first), (first + 1, second), (second + 1, 4096)):
        os.closerange(low, high)
    os.set_inheritable(channel, True)
    os.set_inheritable(status, False)


def _filter_system_calls(instructions: Sequence[Sequence[int]]) -> None:
    """Install a filter of system calls; the operand OWN_NUMBER is the number of this process."""
    own = os.getpid()
    lines = [(*line[:3], own if line[3] == OWN_NUMBER else line[3]) for line in instructions]
    program = b"".join(struct.pack("<HBBI", *line) for line in lines)
    content = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(content))
    _linux("prctl", SECCOMP, 2, ctypes.create_string_buffer(described, len(described)), 0, 0)


def _linux(name: str, *arguments: object) -> None:
    """Call a function of the kernel. Raises OSError with its name."""
    library = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    if name in BY_NUMBER:
        result = library.syscall(ctypes.c_long(BY_NUMBER[name].get(os.uname().machine, -1)), *values)
    else:
        result = getattr(library, name)(*values)
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
