"""compose.yaml, the image and their secrets: valid by public schemas, and run as far as no container is needed."""

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.command.verbs import VERBS
from tests.deploy.commands import DEPLOY

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = [name for name, service in SERVICES.items() if service["image"] == "thinfile"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
ROOT = DEPLOY.parent
BY_HAND = {"prometheus_key", "chat_url"}
compose_program = shutil.which("docker-compose")


def schema_check(schema: str, path: Path) -> None:
    """Assert that a file is valid by a schema that check-jsonschema ships."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "name"), [("compose-spec", "compose.yaml"), ("github-workflows", "github/champion.yml")]
)
def test_a_file_is_valid_by_its_public_schema(schema: str, name: str) -> None:
    schema_check(schema, DEPLOY / name)


@pytest.mark.skipif(compose_program is None, reason="docker-compose is not installed")
def test_docker_compose_reads_the_file() -> None:
    done = subprocess.run(
        [str(compose_program), "config", "--quiet"], cwd=DEPLOY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_files_that_are_mounted_exist() -> None:
    mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    files = [path for path in mounted if path.startswith("./")]
    assert len(files) == 6
    assert [path for path in files if not (DEPLOY / path).exists()] == []
    assert {path for path in mounted if path[0] not in "./$"} == COMPOSE["volumes"].keys()


def test_every_port_is_open_to_this_host_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_own_services_have_no_privileges_and_write_to_volumes_alone() -> None:
    assert OWN == ["thinfile", "monthly", "mlflow"]
    for name in OWN:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_passwords_are_in_files_that_the_script_makes(tmp_path: Path) -> None:
    named = {name: entry["file"] for name, entry in COMPOSE["secrets"].items()}
    for service in SERVICES.values():
        assert set(service.get("secrets", [])) <= named.keys()
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|KEY|TOKEN|CHAT_URL", variable):
                assert variable.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    shutil.copy(DEPLOY / "make_secrets.sh", tmp_path)
    subprocess.run([tmp_path / "make_secrets.sh"], check=True)
    made = {name: (tmp_path / file).read_text() for name, file in named.items()}
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == made.keys()
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    generated = {name: text for name, text in made.items() if name not in BY_HAND}
    assert all(re.fullmatch(r"[0-9a-f]{64}", text) for text in generated.values())
    assert len(set(generated.values())) == len(generated)
    subprocess.run([tmp_path / "make_secrets.sh"], check=True)
    assert {name: (tmp_path / file).read_text() for name, file in named.items()} == made


def kept_for_the_image() -> set[str]:
    """Return the names that the build of the image can see."""
    ignored = [line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert ignored[0] == "*"
    return {line.removeprefix("!") for line in ignored if line.startswith("!")}


def test_git_and_the_image_leave_the_secrets_out() -> None:
    assert "secrets/" in (DEPLOY / ".gitignore").read_text().splitlines()
    assert not [name for name in kept_for_the_image() if "secret" in name or name in ("deploy", "workspace")]
    assert not re.search(r"^(ARG|ENV) .*(PASSWORD|SECRET|TOKEN|KEY)", DOCKERFILE, re.MULTILINE)


def test_the_build_of_the_image_sees_what_it_copies() -> None:
    lines = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {name for line in lines for name in line.split()}
    assert copied - {".", "deploy/alerts"} <= kept_for_the_image()
    assert "deploy/alerts/*.py" in kept_for_the_image()


@pytest.mark.integration
def test_a_wheel_is_built_from_what_the_image_sees(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in filter(lambda name: (ROOT / name).exists(), kept_for_the_image()):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", tmp_path]
    done = subprocess.run([*build, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("thinfile-*.whl")
    shipped = zipfile.ZipFile(wheel).namelist()
    for verb in VERBS:
        assert any(name.endswith(f"/{verb}.yaml") for name in shipped), verb


def test_the_image_is_pinned_by_hashes_and_runs_as_no_root() -> None:
    installs = re.findall(r"pip (?:--python \S+ )?install .*", DOCKERFILE)
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    assert "--build-constraint requirements.lock" in DOCKERFILE
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


@pytest.mark.parametrize("package", ["pip", "flask-wtf"])
def test_the_expression_of_the_image_takes_one_package_of_the_lock_file(package: str) -> None:
    (expression,) = {
        one for one in re.findall(r"sed -n '(.*?)' requirements.lock", DOCKERFILE) if f"^{package}==" in one
    }
    done = subprocess.run(
        ["sed", "-n", expression, "requirements.lock"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    first, *hashes = done.stdout.splitlines()
    assert first.startswith(f"{package}==")
    assert hashes
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)


def entry(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the entry point of the image."""
    return subprocess.run(
        [DEPLOY / "entrypoint.sh", *words],
        env={"PATH": os.environ["PATH"]} | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_entry_point_reads_secrets_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('it\'s $HOME `x` "y" %20\n')
    done = entry("env", "-0", PGPASSWORD_FILE=str(secret), OTHER_FILE=str(secret))
    variables = dict(one.split("=", 1) for one in done.stdout.split("\0") if one)
    assert variables["PGPASSWORD"] == secret.read_text().strip()
    assert "PGPASSWORD_FILE" not in variables
    assert variables["OTHER_FILE"] == str(secret)
    assert entry("sh", "-c", "exit 3").returncode == 3


def test_the_entry_point_knows_every_secret_of_compose() -> None:
    known = set(re.findall(r"\b[A-Z_]{6,}\b", (DEPLOY / "entrypoint.sh").read_text().partition("for name in")[2]))
    named = {
        name.removesuffix("_FILE") for own in OWN for name in SERVICES[own]["environment"] if name.endswith("_FILE")
    }
    assert named - {"THINFILE_CHAT_URL"} <= known  # alerts/chat.py reads that one itself
    assert {"PGPASSWORD", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_AUTH_ADMIN_PASSWORD"} <= named


def test_an_empty_or_missing_secret_stops_the_container(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    empty = entry("echo", "started", PGPASSWORD_FILE=str(tmp_path / "empty"))
    missing = entry("echo", "started", PGPASSWORD_FILE=str(tmp_path / "missing"))
    assert empty.returncode == 2
    assert "PGPASSWORD_FILE" in empty.stderr
    assert missing.returncode != 0
    assert "started" not in empty.stdout + missing.stdout


def test_the_health_check_of_each_container_is_a_program_of_its_image() -> None:
    assert shlex.split(SERVICES["postgres"]["healthcheck"]["test"][1]) == ["pg_isready"]
    assert "/opt/kit/ready.py" in SERVICES["mlflow"]["healthcheck"]["test"]
    assert re.search(r"^COPY .*deploy/ready.py.* /opt/kit/$", DOCKERFILE, re.MULTILINE)
    assert 'CMD ["python", "/opt/kit/ready.py"]' in DOCKERFILE
