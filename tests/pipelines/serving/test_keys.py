"""API keys: known to who was told, to the file as a digest only, and to nobody once revoked."""

import json
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from pipelines.errors import RequestError, ThinfileError
from pipelines.serving.keys import ApiKeys


@pytest.fixture
def keys(tmp_path: Path) -> ApiKeys:
    return ApiKeys(tmp_path / "serving" / "keys.json")


def test_a_key_opens_until_it_is_revoked(keys: ApiKeys) -> None:
    told = keys.create("checkout")
    other = keys.create("shop")
    keys.refresh()
    assert {keys.holder(told), keys.holder(other)} == {key.id for key in keys.all()}
    keys.revoke("checkout")
    keys.refresh()
    assert keys.holder(told) is None
    assert keys.holder(other) is not None
    assert keys.any_valid


@pytest.mark.parametrize("change", [lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), str.upper, lambda _: ""])
def test_what_is_no_key_opens_nothing(keys: ApiKeys, change: Callable[[str], str]) -> None:
    told = keys.create("checkout")
    keys.refresh()
    assert keys.holder(change(told)) is None
    assert keys.holder("\udcff" + told) is None


def test_the_file_holds_digests_that_its_owner_alone_may_read(keys: ApiKeys) -> None:
    told = keys.create("checkout")
    text = keys.path.read_text()
    assert told.rpartition("_")[2] not in text
    assert json.loads(text)[0]["sha256"] == sha256(told.encode()).hexdigest()
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600


def test_two_keys_differ_and_one_name_is_one_key(keys: ApiKeys) -> None:
    assert keys.create("a") != keys.create("b")
    with pytest.raises(RequestError, match="already has an API key"):
        keys.create("a")
    keys.revoke("a")
    keys.create("a")
    assert [key.revoked is None for key in keys.all()] == [False, True, True]


@pytest.mark.parametrize("name", [None, "", "two words", "../up", "x" * 65])
def test_a_name_is_plain(keys: ApiKeys, name: str | None) -> None:
    with pytest.raises(RequestError, match=r"valid name of an API key|needs a name"):
        keys.create(name)


def test_revoking_what_is_not_there_names_the_nearest(keys: ApiKeys) -> None:
    keys.create("checkout")
    with pytest.raises(RequestError, match="did you mean checkout"):
        keys.revoke("chekout")


def test_a_garbled_file_is_told(keys: ApiKeys) -> None:
    keys.create("checkout")
    keys.path.write_text("[{")
    with pytest.raises(ThinfileError, match="cannot be read"):
        keys.all()
