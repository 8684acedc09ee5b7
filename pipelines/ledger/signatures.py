"""Signs and verifies approvals with ssh keys, by `ssh-keygen -Y sign` and `-Y verify` of OpenSSH."""

import hashlib
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import AnswerIsNo, RequestError, ThinfileError
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.cores import usable_cores
from pipelines.storage.fingerprint import spell_record

NAMESPACE = "thinfile-promotion"
SIGNED = ("by", "account", "signature", "key", "authenticated")
"""The fields of an entry that a signature does not cover, because it makes them."""

PUBLIC = ("ssh-", "ecdsa-", "sk-")


class SignatureRefused(AnswerIsNo):
    """The signature is of another message or by another key, or the key is not listed."""


class Signature(NamedTuple):
    """A signature, the text that it is under, the name that it is in, and the moment at which the key must be valid."""

    message: str
    signature: str
    name: str
    at: str


@dataclass(frozen=True)
class Signers:
    """The allowed signers: lines in OpenSSH's format, one per key, each beginning with the name of the key's owner.

    Args:
        text: the lines; the validity periods and namespaces in them count.
        source: where the lines are from, as messages name it.
        scratch: a folder for temporary files.
        revoked: keys that never count: public keys, one per line, or a list of revoked keys by ssh-keygen.
    """

    text: str
    source: str
    scratch: Path
    revoked: bytes = b""

    @property
    def hash(self) -> str:
        """The SHA-256 of the lines, which a ledger records; a key that is revoked does not change it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def state(self) -> str:
        """The SHA-256 of all that decides whether a signature counts: the lines and the revoked keys."""
        return hashlib.sha256(f"{self.hash} ".encode() + self.revoked).hexdigest()

    @property
    def count(self) -> int:
        """How many keys are listed."""
        return len(list(self._lines()))

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
                f"key {key} is not listed under a name in {self.source} (listed under: {name or 'nothing'}); have the "
                "owner of the policy add it"
            )
        return name

    def sign(self, message: str, key: Path) -> str:
        """Return a signature of a message in OpenSSH's format. Raises RequestError when the key cannot sign."""
        done = _keygen("-Y", "sign", "-f", str(key), "-n", NAMESPACE, "-", message=message)
        if done.returncode:
            raise RequestError(f"key {key} cannot sign ({_output(done)}); see `ssh-add -l`")
        return done.stdout

    def check(self, message: str, signature: str, name: str, at: str | None = None) -> str:
        """Return the fingerprint of the key that signed.

        `at` is the moment, in ISO format, at which the key must have been valid; by default it is now.

        Raises:
            SignatureRefused: it does not verify, the key is revoked, or was not valid then.
        """
        verify = _verified if at is None else _verified_at
        fingerprint, output = verify(self, message, signature, name, at)
        if fingerprint is None:
            raise SignatureRefused(
                f"the signature of {name} does not verify against {self.source} ({output}); sign again with a key that "
                "is listed there"
            )
        return fingerprint

    def check_together(self, signatures: Sequence[Signature]) -> None:
        """Look at several signatures at once, so that `check` knows its answers; it raises nothing itself."""
        with ThreadPoolExecutor(usable_cores()) as threads:
            list(threads.map(lambda one: _verified_at(self, *one), signatures))

    def line(self, key: Path) -> str:
        """Return owner and public key as one line of an allowed signers file."""
        return " ".join([self.owner(key), *_public(key).split()[:2]])

    def _lines(self) -> Iterator[list[str]]:
        for line in self.text.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def _verified(signers: Signers, message: str, signature: str, name: str, at: str | None) -> tuple[str | None, str]:
    """Return the fingerprint of the key that signed, None where it does not verify, and the output of OpenSSH."""
    with scratch_folder(signers.scratch) as folder:
        paths = {part: folder / part for part in ("allowed", "signature", "revoked")}
        paths["allowed"].write_text(signers.text)
        paths["signature"].write_text(signature)
        paths["revoked"].write_bytes(signers.revoked)
        options = ["-f", str(paths["allowed"]), "-I", name, "-n", NAMESPACE, "-s", str(paths["signature"])]
        options += ["-r", str(paths["revoked"])] if signers.revoked else []
        options += [] if at is None else ["-O", f"verify-time={_openssh_time(at)}"]
        done = _keygen("-Y", "verify", *options, message=message)
    fingerprint = re.search(r"SHA256:\S+", done.stdout)
    return (None if done.returncode or fingerprint is None else fingerprint.group()), _output(done)


_verified_at = lru_cache(maxsize=1024)(_verified)
"""What was valid at a moment stays so: approvals are proven as entries, and again for the promotion they count for."""


def _openssh_time(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y%m%d%H%M%SZ")


def message_of(chain: str, request: int, entry_hash: str, approver: str) -> str:
    """Return the text that an approver signs: ledger, request, hash of its entry and the approver's name."""
    return spell_record({"chain": chain, "request": request, "entry": entry_hash, "approver": approver})


def message_about(chain: str, content: Mapping[str, object], after: str, signer: str) -> str:
    """Return the text that is signed for an entry: all it says, the ledger, the hash of the entry before it, who."""
    said = {name: value for name, value in content.items() if name not in SIGNED}
    return spell_record({"chain": chain, "after": after, "signer": signer, "content": json.loads(json.dumps(said))})


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
