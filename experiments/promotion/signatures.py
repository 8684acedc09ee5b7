"""Approvals signed with the approver's ssh key, as `ssh-keygen -Y sign` and `-Y verify` of OpenSSH do it."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import RequestError, ThinfileError
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.fingerprint import spell_record

NAMESPACE = "thinfile-promotion"
PUBLIC = ("ssh-", "ecdsa-", "sk-")


class SignatureRefused(ThinfileError):
    """A signature that does not count: not of this message, not by this key, or by a key that nobody listed."""

    exit_code = 3


@dataclass(frozen=True)
class Signers:
    """Whose keys count: a file in OpenSSH's format, one line per key that opens with the name of its owner.

    `scratch` is a folder in which signatures may lie while they are checked.
    """

    allowed: Path
    scratch: Path

    def __post_init__(self) -> None:
        if not self.allowed.is_file():
            raise RequestError(
                f"policy.approvals.allowed_signers must name a file, received '{self.allowed}', which is none; "
                "write one line per approver: NAME KEYTYPE KEY (man ssh-keygen, ALLOWED SIGNERS)"
            )

    def owner(self, key: Path) -> str:
        """Return the name under which a key is listed.

        Raises:
            RequestError: there is no such key.
            SignatureRefused: it is not listed, or under a pattern, which names nobody.
        """
        body = _public(key).split()[1]
        names = next((words[0] for words in self._lines() if body in words), None)
        name = names.partition(",")[0] if names else None
        if name is None or set("*?!") & set(name):
            raise SignatureRefused(
                f"an approver's key must be listed under a name in {self.allowed}, received {key}, listed under "
                f"{'none' if name is None else name}; have the owner of the policy add it"
            )
        return name

    def sign(self, message: str, key: Path) -> str:
        """Return a signature of a message in OpenSSH's armour. Raises RequestError when the key cannot be used."""
        done = _keygen("-Y", "sign", "-f", str(key), "-n", NAMESPACE, "-", message=message)
        if done.returncode:
            raise RequestError(f"an approval needs a key that signs, received {key} ({_told(done)}); see `ssh-add -l`")
        return done.stdout

    def check(self, message: str, signature: str, name: str) -> str:
        """Return the fingerprint of the key that signed. Raises SignatureRefused when it does not count, and why."""
        with scratch_folder(self.scratch) as folder:
            path = folder / "signature"
            path.write_text(signature)
            known = ("-f", str(self.allowed), "-I", name, "-n", NAMESPACE, "-s", str(path))
            done = _keygen("-Y", "verify", *known, message=message)
        found = re.search(r"SHA256:\S+", done.stdout)
        if done.returncode or found is None:
            raise SignatureRefused(
                f"the signature of {name} does not hold against {self.allowed} ({_told(done)}); approve again with a "
                "key that is listed there"
            )
        return found.group()

    def line(self, key: Path) -> str:
        """Return the name and public key as one line, to keep beside the signature."""
        return " ".join([self.owner(key), *_public(key).split()[:2]])

    def _lines(self) -> Iterator[list[str]]:
        for line in self.allowed.read_text().splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def message_of(chain: str, request: int, entry_hash: str, approver: str) -> str:
    """Return what an approver signs: this request of this ledger, as it was written, in his or her own name."""
    return spell_record({"chain": chain, "request": request, "entry": entry_hash, "approver": approver})


def _public(key: Path) -> str:
    beside = key.with_name(f"{key.name}.pub")
    if not key.is_file():
        raise RequestError(
            f"key must name a private ssh key, received '{key}', which is no file; try ~/.ssh/id_ed25519"
        )
    if key.read_text(errors="replace").startswith(PUBLIC):  # its private half is with the agent
        return key.read_text()
    if beside.is_file():
        return beside.read_text()
    done = _keygen("-y", "-f", str(key))
    if done.returncode:
        raise RequestError(f"key must name a private ssh key, received '{key}' ({_told(done)}); try ~/.ssh/id_ed25519")
    return done.stdout


def _keygen(*words: str, message: str = "") -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(["ssh-keygen", *words], input=message, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ThinfileError(
            "signatures need OpenSSH's ssh-keygen, received no such program; install openssh-client (8.1 or newer)"
        ) from error


def _told(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return "; ".join(lines) or f"ssh-keygen exit code {done.returncode}"
