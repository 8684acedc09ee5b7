"""API keys: random, kept as SHA-256 only, compared in constant time."""

import hmac
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pipelines.errors import RequestError, ThinfileError, nearest
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.lock import exclusive

PREFIX = "thinfile"
_KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key: its id, which is no secret, and the SHA-256 of the whole."""

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
        """Return a new key: nothing that is kept leads back to it.

        Raises:
            RequestError: no name, one that is not plain, or one that a valid key has.
        """
        if not name:
            raise RequestError("an API key needs a name; add for example name=checkout")
        if not _NAME.fullmatch(name):
            raise RequestError(
                f"{name!r} is not a valid name of an API key; use letters, digits, '.', '_' and '-', "
                "for example name=checkout"
            )
        with exclusive(self.path.with_suffix(".lock")):
            if any(key.name == name and key.revoked is None for key in self.all()):
                raise RequestError(f"'{name}' already has an API key; revoke it first or use another name")
            identity = secrets.token_hex(6)
            told = f"{PREFIX}_{identity}_{secrets.token_urlsafe(32)}"
            self._write([*self.all(), ApiKey(identity, name, _digest(told), _now())])
        return told

    def revoke(self, name: str | None) -> ApiKey:
        """End the key of a name. Raises RequestError when no valid key has it."""
        with exclusive(self.path.with_suffix(".lock")):
            keys = self.all()
            valid = [key for key in keys if key.revoked is None]
            found = next((key for key in valid if key.name == name), None)
            if found is None:
                known = nearest(name or "", [key.name for key in valid])
                raise RequestError(f"no API key has the name {name!r}; {known}")
            ended = replace(found, revoked=_now())
            self._write([ended if key is found else key for key in keys])
        return ended

    @property
    def any_valid(self) -> bool:
        """Whether there is a key, as far as was read."""
        return any(key.revoked is None for key in self._keys.values())

    def holder(self, presented: str) -> str | None:
        """Return the id of the valid key that was presented, None when it is none."""
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
