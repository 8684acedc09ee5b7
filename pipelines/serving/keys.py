"""API keys, stored as SHA-256 only and compared in constant time, and the actions of the verb serve on them."""

import hmac
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pipelines.command.verb import Outcome, carried
from pipelines.errors import RequestError, ThinfileError, nearest
from pipelines.serving.settings import ServeSettings
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.lock import file_lock
from pipelines.storage.workspace import Workspace

PREFIX = "thinfile"
_KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class ApiKey:
    """The stored part of a key: its id, which is not secret, and the SHA-256 of the whole key."""

    id: str
    name: str
    sha256: str
    created: str
    revoked: str | None = None


class ApiKeys:
    """The keys of a workspace, in one file that its owner alone may read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_at: tuple[int, int, int] | None = None
        self._keys: dict[str, ApiKey] = {}

    def all(self) -> list[ApiKey]:
        """Return all keys, revoked ones too, oldest first.

        Raises:
            ThinfileError: the file is there and cannot be read.
        """
        self.refresh()
        return list(self._keys.values())

    def create(self, name: str | None) -> str:
        """Return a new key; it cannot be recovered from what is stored.

        Raises:
            RequestError: the name is missing or invalid, or a valid key has it.
        """
        if not name:
            raise RequestError("an API key needs a name; add for example name=checkout")
        if not _NAME.fullmatch(name):
            raise RequestError(
                f"{name!r} is not a valid name of an API key; use letters, digits, '.', '_' and '-', "
                "for example name=checkout"
            )
        with file_lock(self.path.with_suffix(".lock")):
            if any(key.name == name and key.revoked is None for key in self.all()):
                raise RequestError(f"'{name}' already has an API key; revoke it first or use another name")
            identity = secrets.token_hex(6)
            secret = f"{PREFIX}_{identity}_{secrets.token_urlsafe(32)}"
            self._write([*self.all(), ApiKey(identity, name, _digest(secret), _now())])
        return secret

    def revoke(self, name: str | None) -> ApiKey:
        """Revoke the key of a name. Raises RequestError when no valid key has it."""
        with file_lock(self.path.with_suffix(".lock")):
            keys = self.all()
            valid = [key for key in keys if key.revoked is None]
            revoked = next((key for key in valid if key.name == name), None)
            if revoked is None:
                hint = nearest(name or "", [key.name for key in valid])
                raise RequestError(f"no API key has the name {name!r}; {hint}")
            ended = replace(revoked, revoked=_now())
            self._write([ended if key is revoked else key for key in keys])
        return ended

    @property
    def any_valid(self) -> bool:
        """Whether a valid key exists."""
        return any(key.revoked is None for key in self._keys.values())

    def holder(self, presented: str) -> str | None:
        """Return the id of the presented key, None when it is not valid."""
        parts = _KEY.fullmatch(presented)
        key = self._keys.get(parts[1]) if parts else None
        kept = key.sha256 if key else "0" * 64
        is_same = hmac.compare_digest(kept, _digest(presented))
        return key.id if is_same and key and key.revoked is None else None

    def refresh(self) -> None:
        """Read the file again when it has changed."""
        try:
            state = self.path.stat()
            now = (state.st_mtime_ns, state.st_ino, state.st_size)
            if now != self._read_at:
                keys = [ApiKey(**one) for one in json.loads(self.path.read_text())]
                self._keys, self._read_at = {key.id: key for key in keys}, now
        except FileNotFoundError:
            self._keys, self._read_at = {}, None
        except (OSError, ValueError, TypeError) as error:
            raise ThinfileError(f"'{self.path}' cannot be read ({error}); restore it from a copy") from error

    def _write(self, keys: list[ApiKey]) -> None:
        with whole_file(self.path) as temporary:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(file, "w") as opened:
                json.dump([asdict(key) for key in keys], opened, indent=1)


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def make_key(settings: ServeSettings) -> Outcome:
    """Make an API key and print it; it cannot be printed again."""
    key = _keys(settings).create(settings.name)
    return Outcome(
        {"name": settings.name, "key": key},
        summary=[f"API key of {settings.name} (shown only once, not stored):", f"  {key}"],
        next_steps=[f"thinfile serve{carried(settings)}"],
    )


def list_keys(settings: ServeSettings) -> Outcome:
    """List the API keys by name; the keys themselves are not stored."""
    keys = _keys(settings).all()
    shown = [{name: value for name, value in asdict(key).items() if name != "sha256"} for key in keys]
    return Outcome({"keys": shown}, summary=[_line(key) for key in keys] or ["no API key exists"])


def revoke_key(settings: ServeSettings) -> Outcome:
    """Revoke a key; services refuse it within a second or two."""
    key = _keys(settings).revoke(settings.name)
    return Outcome({"name": key.name, "id": key.id, "revoked": key.revoked}, summary=[_line(key)])


def _keys(settings: ServeSettings) -> ApiKeys:
    return ApiKeys(Workspace.at(settings.workspace).serving / "keys.json")


def _line(key: ApiKey) -> str:
    return f"{key.name}  id {key.id}  made {key.created}" + (f"  revoked {key.revoked}" if key.revoked else "")
