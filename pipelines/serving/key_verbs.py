"""The actions of the verb serve that are about API keys."""

from dataclasses import asdict

from pipelines.command.verb import Outcome, carried
from pipelines.serving.keys import ApiKey, ApiKeys
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace


def make_key(settings: ServeSettings) -> Outcome:
    """Make an API key and tell it, this once."""
    key = _keys(settings).create(settings.name)
    return Outcome(
        {"name": settings.name, "key": key},
        summary=[f"API key of {settings.name} (shown only once, not stored):", f"  {key}"],
        next_steps=[f"thinfile serve{carried(settings)}"],
    )


def list_keys(settings: ServeSettings) -> Outcome:
    """Tell which keys there are; of a key itself nothing is known."""
    found = _keys(settings).all()
    told = [{name: value for name, value in asdict(key).items() if name != "sha256"} for key in found]
    return Outcome({"keys": told}, summary=[_line(key) for key in found] or ["no API key exists"])


def revoke_key(settings: ServeSettings) -> Outcome:
    """End a key; services refuse it within a second or two."""
    key = _keys(settings).revoke(settings.name)
    return Outcome({"name": key.name, "id": key.id, "revoked": key.revoked}, summary=[_line(key)])


def _keys(settings: ServeSettings) -> ApiKeys:
    return ApiKeys(Workspace.at(settings.workspace).serving / "keys.json")


def _line(key: ApiKey) -> str:
    return f"{key.name}  id {key.id}  made {key.created}" + (f"  revoked {key.revoked}" if key.revoked else "")
