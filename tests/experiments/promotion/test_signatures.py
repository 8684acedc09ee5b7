"""Signatures by OpenSSH: of this message, in this name, by a key that is listed."""

import subprocess
from pathlib import Path

import pytest

from pipelines.errors import RequestError, ThinfileError
from pipelines.ledger.signatures import NAMESPACE, SignatureRefused, Signers, message_of
from pipelines.ledger.signers import signers_of_file


def key_of(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
    return path


def list_keys(path: Path, *lines: tuple[str, Path]) -> Path:
    path.write_text("".join(f"{name} {Path(f'{key}.pub').read_text()}" for name, key in lines))
    return path


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    return {name: key_of(tmp_path, name) for name in ("anna", "bert")}


@pytest.fixture
def signers(tmp_path: Path, keys: dict[str, Path]) -> Signers:
    lines = [(f"{name}@bank.example", key) for name, key in keys.items()]
    return signers_of_file(list_keys(tmp_path / "allowed", *lines), tmp_path / "scratch")


MESSAGE = message_of("promotions of a", 7, "f" * 64, "anna@bank.example")


def test_openssh_itself_agrees_with_a_signature(signers: Signers, keys: dict[str, Path], tmp_path: Path) -> None:
    signature = signers.sign(MESSAGE, keys["anna"])
    (tmp_path / "signature").write_text(signature)
    words = ["-f", signers.source, "-I", "anna@bank.example", "-n", NAMESPACE, "-s", tmp_path / "signature"]
    done = subprocess.run(["ssh-keygen", "-Y", "verify", *words], input=MESSAGE.encode(), check=False)
    assert done.returncode == 0
    listed = subprocess.run(["ssh-keygen", "-lf", keys["anna"]], capture_output=True, text=True, check=True)
    assert signers.check(MESSAGE, signature, "anna@bank.example") in listed.stdout


@pytest.mark.parametrize("name", ["anna", "bert"])
def test_a_key_belongs_to_the_name_it_is_listed_under(signers: Signers, keys: dict[str, Path], name: str) -> None:
    assert signers.owner(keys[name]) == f"{name}@bank.example"
    assert signers.owner(Path(f"{keys[name]}.pub")) == f"{name}@bank.example"
    Path(f"{keys[name]}.pub").unlink()
    assert signers.owner(keys[name]) == f"{name}@bank.example"


def test_of_another_message_or_in_another_name_it_does_not_hold(signers: Signers, keys: dict[str, Path]) -> None:
    signature = signers.sign(MESSAGE, keys["anna"])
    for message, name in (
        (message_of("promotions of b", 7, "f" * 64, "anna@bank.example"), "anna@bank.example"),
        (message_of("promotions of a", 8, "f" * 64, "anna@bank.example"), "anna@bank.example"),
        (message_of("promotions of a", 7, "e" * 64, "anna@bank.example"), "anna@bank.example"),
        (MESSAGE, "bert@bank.example"),
        (MESSAGE, "carl@bank.example"),
    ):
        with pytest.raises(SignatureRefused, match=f"the signature of {name} does not verify"):
            signers.check(message, signature, name)


def test_a_damaged_signature_does_not_hold(signers: Signers, keys: dict[str, Path]) -> None:
    signature = signers.sign(MESSAGE, keys["anna"])
    middle = len(signature) // 2
    damaged = signature[:middle] + ("A" if signature[middle] != "A" else "B") + signature[middle + 1 :]
    for wrong in (damaged, "", "no signature"):
        with pytest.raises(SignatureRefused):
            signers.check(MESSAGE, wrong, "anna@bank.example")


def test_a_key_that_nobody_listed_is_refused(signers: Signers, tmp_path: Path) -> None:
    with pytest.raises(SignatureRefused, match="listed under: nothing"):
        signers.owner(key_of(tmp_path, "carl"))


def test_a_pattern_names_nobody(tmp_path: Path, keys: dict[str, Path]) -> None:
    signers = signers_of_file(list_keys(tmp_path / "allowed", ("*@bank.example", keys["anna"])), tmp_path)
    with pytest.raises(SignatureRefused, match=r"listed under: \*@bank.example"):
        signers.owner(keys["anna"])


def test_what_is_missing_is_named(
    signers: Signers, tmp_path: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RequestError, match=r"THINFILE_SIGNERS=.*nowhere' cannot be read \(there is no such file\)"):
        signers_of_file(tmp_path / "nowhere", tmp_path)
    with pytest.raises(RequestError, match=r"cannot be read \(Is a directory\)"):
        signers_of_file(tmp_path, tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(RequestError, match=r"cannot be read \(it is not a text file\)"):
        signers_of_file(tmp_path / "binary", tmp_path)
    with pytest.raises(RequestError, match=r"key=.*nowhere' is not a file"):
        signers.owner(tmp_path / "nowhere")
    (tmp_path / "wrong").write_text("no key")
    with pytest.raises(RequestError, match=r"key=.*wrong' is not a private ssh key"):
        signers.owner(tmp_path / "wrong")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ThinfileError, match="install openssh-client"):
        signers.sign(MESSAGE, keys["anna"])
