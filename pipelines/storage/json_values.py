"""Settings as the JSON values that records, hashes and identities are made of."""

import json
from dataclasses import asdict
from enum import Enum
from typing import Any


def to_json_values(settings: object) -> dict[str, Any]:
    """Return a settings object as JSON values."""

    def spell(value: Any) -> Any:
        if isinstance(value, dict):
            return {key if isinstance(key, str) else json.dumps(key): spell(item) for key, item in value.items()}
        if isinstance(value, list):
            return [spell(item) for item in value]
        return value.value if isinstance(value, Enum) else value

    spelled: dict[str, Any] = spell(asdict(settings))  # type: ignore[call-overload]
    return spelled
