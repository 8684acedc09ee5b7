"""Signs and verifies approvals with ssh keys, by `ssh-keygen -Y sign` and `-Y verify` of OpenSSH."""

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
    """The signature is of another message or by another key, or the key is not listed."""

    exit_code = 3


@dataclass(frozen=True)
class Signers:
    """The allowed signers: a file in OpenSSH's format, one line per key that begins with its owner's name.

    `scratch` is a folder for temporary files.
    """

    allowed: Path
    scratch: Path

    def __post_init__(self) -> None:
        if not self.allowed.is_file():
            raise RequestError(
                f"policy.approvals.allowed_signers='{self.allowed}' is not a file; "
                "write one line per approver: NAME KEYTYPE KEY (man ssh-keygen, ALLOWED SIGNERS)"
            )

    def owner(self, key: Path) -> str:
        """Return the name of a key's owner.

        Raises:
            RequestError: there is no such key.
            SignatureRefused: the key is not listed, or is listed under a pattern instead of a name.
        """
        body = _public(key).split()[1]
        names = next((words[0] for words in self._lines() if body in words), None)
        name = names.partition(",")[0] if names else None
        if name is None or set("*?!") & set(name):
            raise SignatureRefused(
                f"key {key} is not listed under a name in {self.allowed} (listed under: {name or 'nothing'}); have the "
                "owner of the policy add it"
            )
        return name

    def sign(self, message: str, key: Path) -> str:
        """Return a signature of a message in OpenSSH's format. Raises RequestError when the key cannot sign."""
        done = _keygen("-Y", "sign", "-f", str(key), "-n", NAMESPACE, "-", message=message)
        if done.returncode:
            raise RequestError(f"key {key} cannot sign ({_output(done)}); see `ssh-add -l`")
        return done.stdout

    def check(self, message: str, signature: str, name: str) -> str:
        """Return the fingerprint of the key that signed. Raises SignatureRefused when it does not verify."""
        with scratch_folder(self.scratch) as folder:
            path = folder / "signature"
            path.write_text(signature)
            options = ("-f", str(self.allowed), "-I", name, "-n", NAMESPACE, "-s", str(path))
            done = _keygen("-Y", "verify", *options, message=message)
        fingerprint = re.search(r"SHA256:\S+", done.stdout)
        if done.returncode or fingerprint is None:
            raise SignatureRefused(
                f"the signature of {name} does not verify against {self.allowed} ({_output(done)}); approve again with "
                "a key that is listed there"
            )
        return fingerprint.group()

    def line(self, key: Path) -> str:
        """Return owner and public key as one line of an allowed signers file."""
        return " ".join([self.owner(key), *_public(key).split()[:2]])

    def _lines(self) -> Iterator[list[str]]:
        for line in self.allowed.read_text().splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def message_of(chain: str, request: int, entry_hash: str, approver: str) -> str:
    """Return the text that an approver signs: ledger, request, hash of its entry and the approver's name."""
    return spell_record({"chain": chain, "request": request, "entry": entry_hash, "approver": approver})


def _public(key: Path) -> str:
    public = key.with_name(f"{key.name}.pub")
    if not key.is_file():
        raise RequestError(f"key='{key}' is not a file; name a private ssh key, for example ~/.ssh/id_ed25519")
    if key.read_text(errors="replace").startswith(PUBLIC):  # the private key is in the ssh agent
        return key.read_text()
    if public.is_file():
        return public.read_text()
    done = _keygen("-y", "-f", str(key))
    if done.returncode:
        raise RequestError(f"key='{key}' is not a private ssh key ({_output(done)}); try ~/.ssh/id_ed25519")
    return done.stdout


def _keygen(*arguments: str, message: str = "") -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(["ssh-keygen", *arguments], input=message, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ThinfileError(
            "the program ssh-keygen is missing and signatures need it; install openssh-client (8.1 or newer)"
        ) from error


def _output(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return "; ".join(lines) or f"ssh-keygen exit code {done.returncode}"
