"""Checkpoints of a ledger outside its database: with them a chain that was rewritten or shortened is found.

A checkpoint is the number of entries and the hash of the last one, as the signed tree head of a certificate
transparency log (RFC 6962, section 3.5) is for its log.
"""

import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.promotion.settings import AnchorSettings, PromoteSettings
from pipelines.command.verb import Outcome, carried, shell_word
from pipelines.errors import ConfigurationError, ThinfileError
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.signatures import SignatureRefused
from pipelines.ledger.signers import signers_of_environment
from pipelines.ledger.signing import Signer, signer_of
from pipelines.model_store.store import existing_store
from pipelines.storage.fingerprint import spell_record
from pipelines.storage.workspace import Workspace

LONGEST = 60
"""Seconds that the command of an anchor may take."""


def checkpoint(settings: PromoteSettings) -> Outcome:
    """Write a checkpoint of the ledger to its anchor.

    Raises:
        ConfigurationError: no anchor is configured.
        ThinfileError: the anchor cannot be written to.
    """
    if settings.anchor.file is None and settings.anchor.command is None:
        raise ConfigurationError("no anchor is configured; set anchor.file=FILE or anchor.command='PROGRAM'")
    ledger = _opened(settings)
    written = write_checkpoint(ledger, settings)
    where = settings.anchor.file or _program(settings.anchor.command)
    return Outcome(
        {"entries": written["entries"], "hash": written["hash"], "anchor": where, "signed": "signature" in written},
        summary=[f"CHECKPOINT of {settings.model}: {written['entries']} entries, {written['hash'][:12]}, to {where}"],
        next_steps=[f"thinfile promote verify {shell_word('anchor', settings.anchor.file)}{carried(settings)}"]
        if settings.anchor.file
        else [],
    )


def _program(command: str | None) -> str | None:
    """Return the program of a command, without its arguments, which may hold a password."""
    return command and next(iter(shlex.split(command)), command)


def with_checkpoint(outcome: Outcome, settings: PromoteSettings) -> Outcome:
    """Write a checkpoint of what a command decided, where an anchor is configured, and return the command's outcome.

    Raises:
        ThinfileError: the anchor cannot be written to; the decision stands.
    """
    if settings.anchor.file is not None or settings.anchor.command is not None:
        write_checkpoint(_opened(settings), settings)
    return outcome


def write_checkpoint(ledger: Ledger, settings: PromoteSettings) -> dict[str, Any]:
    """Write a checkpoint to file and command, and return it; the file's last checkpoint is not written again."""
    signer = signer_of(ledger, settings.key, carried(settings))
    made = _checkpoint_of(ledger, signer)
    again = f"`thinfile promote checkpoint{carried(settings)}`"
    try:
        _write(settings.anchor, made)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ThinfileError(
            f"the decision is in the ledger and its checkpoint is not in the anchor ({error}); write it with {again}"
        ) from error
    return made


def anchor_findings(ledger: Ledger, file: str | None) -> Iterator[str]:
    """Yield each checkpoint of a file that the ledger contradicts."""
    if file is None:
        return
    try:
        checkpoints = [_complete(one) for one in _read(Path(file).expanduser()) if one["ledger"] == ledger.name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"the anchor '{file}' cannot be read ({error}); restore it from a copy"
        return
    if not checkpoints:
        yield f"the anchor '{file}' has no checkpoint of this ledger; name its file with anchor=FILE"
    signers = signers_of_environment(ledger.scratch)
    if checkpoints and signers is not None and not any(one.get("signature") for one in checkpoints):
        yield (
            f"no checkpoint of this ledger in the anchor '{file}' is signed, although the ledger has signers; write "
            f"one with `thinfile promote checkpoint {shell_word('anchor.file', file)} key=...{ledger.overrides}`"
        )
    for one in checkpoints:
        count, found = one["entries"], one["hash"]
        if count > len(ledger.entries):
            yield (
                f"the anchor has a checkpoint of {count} entries ({one['at'][:16]}), and the ledger has "
                f"{len(ledger.entries)}: entries were removed; restore the database from a copy"
            )
        elif (recorded := ledger.entries[count - 1].hash if count else "") != found:
            yield (
                f"entry {count} has the hash {recorded[:12] or 'none'}, and {found[:12] or 'none'} in the anchor: the "
                "chain was rewritten; restore the database from a copy"
            )
        if one.get("signature") and signers is not None:
            try:
                signers.check(_message(one), one["signature"], one["by"], one["at"])
            except SignatureRefused as error:
                yield f"the checkpoint of {count} entries in the anchor: {error}"


def _opened(settings: PromoteSettings) -> Ledger:
    workspace = Workspace.at(settings.workspace)
    return Ledger(workspace, existing_store(workspace, settings.model), settings.model, allow_disagreement=True)


def _checkpoint_of(ledger: Ledger, signer: Signer | None) -> dict[str, Any]:
    last = ledger.state.last
    made: dict[str, Any] = {"ledger": ledger.name, "entries": len(ledger.entries), "hash": "", "at": ""}
    if last is not None:
        made |= {"hash": last.hash, "at": last.written_at}
    if signer is not None:
        made |= {"by": signer.name}
        made |= {"signature": signer.signers.sign(_message(made), signer.key)}
    return made


def _message(made: Mapping[str, Any]) -> str:
    return spell_record({name: made[name] for name in ("ledger", "entries", "hash", "at", "by")})


def _write(anchor: AnchorSettings, made: Mapping[str, Any]) -> None:
    if anchor.file is not None:
        path = Path(anchor.file).expanduser()
        last = next(reversed(_read(path)), None) if path.exists() else None
        if last is None or any(last.get(name) != made[name] for name in ("ledger", "entries", "hash")):
            with path.open("a") as file:
                file.write(json.dumps(made) + "\n")
    if anchor.command is not None:
        words = shlex.split(anchor.command)
        done = subprocess.run(
            words, input=json.dumps(made) + "\n", text=True, capture_output=True, timeout=LONGEST, check=False
        )
        if done.returncode:
            raise ValueError(
                f"'{words[0]}' ended with {done.returncode}: {' '.join((done.stderr or done.stdout).split())[-200:]}"
            )


def _complete(one: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint. Raises ValueError or KeyError where it lacks a part or has one of another type."""
    signed = ("by", "signature") if one.get("signature") else ()
    if not all(isinstance(one[name], str) for name in ("hash", "at", *signed)):
        raise ValueError("a checkpoint whose hash, time or signature is not a text")
    if type(one["entries"]) is not int or one["entries"] < 0:
        raise ValueError(f"a checkpoint of {one['entries']} entries")
    return one


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
