"""The filter of system calls of a foreign model's process, as instructions of the kernel's packet filter (seccomp)."""

import errno
import os
import sys

Instruction = tuple[int, int, int, int]
"""A code, the steps to skip if it is met, those to skip if it is not, and an operand."""

SYSTEM_CALLS = {
    "x86_64": {
        "arch": 0xC000003E, "clone": 56, "fork": 57, "vfork": 58, "socket": 41, "ptrace": 101, "mount": 165,
        "umount2": 166, "pivot_root": 155, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
        "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "bpf": 321, "userfaultfd": 323,
    },
    "aarch64": {
        "arch": 0xC00000B7, "clone": 220, "socket": 198, "ptrace": 117, "mount": 40, "umount2": 39, "pivot_root": 41,
        "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97, "perf_event_open": 241,
        "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "bpf": 280,
        "userfaultfd": 282,
    },
}  # fmt: skip
CHANGES = {
    "x86_64": {
        "creat": 85, "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "link": 86, "unlink": 87,
        "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132, "mknod": 133,
        "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198,
        "fremovexattr": 199, "utimes": 235, "mkdirat": 258, "mknodat": 259, "fchownat": 260, "futimesat": 261,
        "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "utimensat": 280,
        "fallocate": 285, "renameat2": 316, "flock": 73, "shmget": 29, "shmat": 30, "semget": 64, "msgget": 68,
        "mq_open": 240, "setpriority": 141, "sched_setaffinity": 203,
    },
    "aarch64": {
        "truncate": 45, "ftruncate": 46, "fallocate": 47, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37,
        "renameat": 38, "renameat2": 276, "mknodat": 33, "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55,
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
        "utimensat": 88, "flock": 32, "shmget": 194, "shmat": 196, "semget": 190, "msgget": 186, "mq_open": 180,
        "setpriority": 140, "sched_setaffinity": 122,
    },
}  # fmt: skip
"""System calls by which a process that is not in namespaces could change or lock files, or disturb other processes."""

ARGUMENTS = {
    "x86_64": {"open": (2, 1), "openat": (257, 2), "kill": (62, 0), "tgkill": (234, 0), "rt_sigqueueinfo": (129, 0),
               "rt_tgsigqueueinfo": (297, 0), "fcntl": (72, 1), "ioctl": (16, 1)},
    "aarch64": {"openat": (56, 2), "kill": (129, 0), "tgkill": (131, 0), "rt_sigqueueinfo": (138, 0),
                "rt_tgsigqueueinfo": (240, 0), "fcntl": (25, 1), "ioctl": (29, 1)},
}  # fmt: skip
"""System calls that such a process needs in part, with the argument that decides."""

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
REFUSED_VALUES = {"fcntl": (6, 7, 37, 38), "ioctl": (0x5412, 0x541C)}
"""Locks of files, and typing into another terminal (TIOCSTI, TIOCLINUX)."""

CHANGES_EVERYWHERE = {"pidfd_send_signal": 424, "openat2": 437, "pidfd_getfd": 438, "fchmodat2": 452}

EVERYWHERE = {"io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "clone3": 435,
              "mount_setattr": 442}  # fmt: skip
"""Numbers that are the same on every architecture."""

REFUSED_WITH = {"fork": errno.EAGAIN, "vfork": errno.EAGAIN, "socket": errno.EACCES, "clone3": errno.ENOSYS,
                "io_uring_setup": errno.ENOSYS, "openat2": errno.ENOSYS, "kill": errno.EAGAIN,
                "pidfd_send_signal": errno.EAGAIN, "rt_sigqueueinfo": errno.EAGAIN, "tgkill": errno.EAGAIN,
                "rt_tgsigqueueinfo": errno.EAGAIN}  # fmt: skip
"""Errors of refused system calls, EPERM for the others; without clone3 the C library uses clone."""

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Instructions of the kernel's packet filter."""
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
OTHER_ABI, THREAD = 0x40000000, 0x10000

OWN_NUMBER = -1
"""The operand that stands for the number of the process, which is known once it runs."""


class IsolationUnavailable(Exception):
    """The system calls of this architecture are not listed."""


def filter_of_system_calls(*, isolated: bool) -> list[Instruction]:
    """Return a filter that refuses to start processes, to open sockets and to reach other processes and keys.

    Without namespaces it also refuses to change files, to lock them and to signal processes, which have numbers there.

    Raises:
        IsolationUnavailable: the numbers of this architecture are not listed.
    """
    machine = os.uname().machine
    numbers = SYSTEM_CALLS.get(machine)
    if numbers is None or sys.byteorder != "little":
        raise IsolationUnavailable(f"system calls of the architecture {machine} cannot be filtered")
    arch, clone = numbers["arch"], numbers["clone"]
    refused = numbers | EVERYWHERE | ({} if isolated else CHANGES[machine] | CHANGES_EVERYWHERE)
    program = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    if arch == SYSTEM_CALLS["x86_64"]["arch"]:
        program += [(AT_LEAST, 0, 1, OTHER_ABI), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]
    for name, number in refused.items():
        if name not in ("arch", "clone"):
            program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | REFUSED_WITH.get(name, errno.EPERM))]
    if not isolated:
        for name, (number, argument) in ARGUMENTS[machine].items():
            program += _refused_by_argument(name, number, argument)
    program += [(EQUAL, 0, 3, clone), (LOAD, 0, 0, 16), (ANY_BIT, 1, 0, THREAD), (RETURN, 0, 0, REFUSE | errno.EAGAIN)]
    return [*program, (RETURN, 0, 0, ALLOW)]


def _refused_by_argument(name: str, number: int, argument: int) -> list[Instruction]:
    """Return the part of the filter for a call that is refused to write, to signal others, or by some values."""
    refuse, allow = (RETURN, 0, 0, REFUSE | REFUSED_WITH.get(name, errno.EPERM)), (RETURN, 0, 0, ALLOW)
    if name.startswith("open"):
        decided = [(ANY_BIT, 0, 1, WRITES), refuse, allow]
    elif name in REFUSED_VALUES:
        values = REFUSED_VALUES[name]
        decided = [(EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
        decided += [allow, refuse]
    else:  # a signal to the process itself
        decided = [(EQUAL, 1, 0, OWN_NUMBER), refuse, allow]
    return [(EQUAL, 0, 1 + len(decided), number), (LOAD, 0, 0, 16 + 8 * argument), *decided]
