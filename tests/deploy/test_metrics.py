"""The rules and the dashboard name only what the service exposes, and a real Prometheus and a real service agree."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.model_store.store import ModelStore
from pipelines.serving.metrics import Metrics
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import make_champion
from tests.pipelines.serving.conftest import applications
from tests.services import PATIENCE, Service, serving

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PROMETHEUS, GRAFANA = DEPLOY / "prometheus", DEPLOY / "grafana"
RULES = [rule for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((GRAFANA / "dashboards" / "thinfile.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [*QUERIES, *(rule["expr"] for rule in RULES)]
OF_PROMETHEUS = {"up": {"job", "instance"}}
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def exposed(text: str) -> dict[str, set[str]]:
    """Return the names in Prometheus's text format with their labels; `instance` is Prometheus's own label."""
    found = {name: {"instance"} for name in re.findall(r"^# TYPE (\S+) (?:counter|gauge)$", text, re.MULTILINE)}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        found.setdefault(name, {"instance"}).update(re.findall(r"(\w+)=", labels))
    return found


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names and labels of a service that has answered."""
    metrics = Metrics(tmp_path_factory.mktemp("metrics"))
    metrics.serve_version(3)
    metrics.count_request("decide", 200)
    metrics.count_seconds(0.001)
    return exposed(metrics.text(0))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_the_service_exposes(
    expression: str, samples: dict[str, set[str]]
) -> None:
    known = samples | OF_PROMETHEUS
    names = set(re.findall(r"\b(?:thinfile_\w+|up)\b", expression))
    assert names
    assert names <= known.keys()
    matched = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)
    kept = [label for group in re.findall(r"\b(?:by|ignoring) \(([^)]*)\)", expression) for label in group.split(", ")]
    assert {*matched, *kept} <= set.union(*(known[name] for name in names))


def test_an_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"].keys() == {"summary", "next"}


def test_the_dashboard_repeats_the_thresholds_of_the_alerts_that_it_names() -> None:
    limits = {rule["alert"]: float(rule["expr"].rpartition(">")[2] or "nan") for rule in RULES if ">" in rule["expr"]}
    named = [(re.findall(r"Alert (\w+)", panel["description"]), panel) for panel in DASHBOARD["panels"]]
    assert sum(map(len, (alerts for alerts, _ in named))) == 4
    for (alert,), panel in (one for one in named if one[0]):
        red = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]
        expected = limits[alert] or 1  # more than none is one at least
        assert (red["color"], red["value"]) == ("red", expected), alert


def test_every_panel_has_a_title_a_description_a_unit_and_room() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    cells = []
    for panel in panels:
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        cells += [(x, y) for x in columns for y in rows]
    assert len(cells) == len(set(cells)), "two panels cover each other"


def test_the_dashboard_reads_the_provisioned_source() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}


@promtool
@pytest.mark.parametrize("words", [("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml")], ids=" ".join)
def test_promtool_accepts_the_rules_and_their_tests(words: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_to_fire_and_to_be_silent() -> None:
    silent, broken = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text())["tests"]
    alerts = {rule["alert"] for rule in RULES}
    assert {one["alertname"] for one in silent["alert_rule_test"] if not one["exp_alerts"]} == alerts
    assert {one["alertname"] for one in broken["alert_rule_test"] if one["exp_alerts"]} == alerts


def ask(address: str, path: str, **parameters: str) -> Any:
    """Return the data of an answer of Prometheus's API."""
    url = f"{address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return json.load(answer)["data"]


@contextmanager
def prometheus(service: Service, key: str, folder: Path) -> Iterator[str]:
    """Yield the address of a Prometheus with the configuration of the kit that has scraped a service twice."""
    settings = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = settings["scrape_configs"]
    job["authorization"] = {"credentials_file": str(folder / "key")}
    job["static_configs"] = [{"targets": [f"127.0.0.1:{service.port}"]}]
    (folder / "key").write_text(f"{key}\n")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    shutil.copy(PROMETHEUS / "rules.yml", folder)
    subprocess.run(["promtool", "check", "config", "prometheus.yml"], cwd=folder, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*words, f"--web.listen-address={address}"], cwd=folder, stdout=log, stderr=log)
    try:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                (scraped,) = ask(f"http://{address}", "query", query="sum(count_over_time(up[1m]))")["result"] or [None]
                if scraped and int(scraped["value"][1]) >= 3:
                    break
            except OSError:
                pass
            time.sleep(0.2)
        yield f"http://{address}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def unanswered(address: str) -> list[str]:
    """Return the queries of the dashboard without an answer, once the next scrapes have had time to come."""
    end = time.monotonic() + PATIENCE
    while found := [query for query in QUERIES if not ask(address, "query", query=query)["result"]]:
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    return found


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
def test_prometheus_reads_the_service_with_a_key_and_answers_every_query(tmp_path: Path) -> None:
    workspace = Workspace.at(str(tmp_path / "workspace"))
    make_champion(ModelStore(workspace), trained("scorecard"), tmp_path / "scorecard")
    command = [sys.executable, "-m", "thinfile", "serve", "key", "name=prometheus", f"workspace={workspace.root}"]
    made = subprocess.run([*command, "output=json"], check=True, capture_output=True, text=True)
    key = json.loads(made.stdout)["key"]
    with serving(workspace.root, "workers=1") as service:
        status, answer = service.ask("/decisions", applications(20), authorization=f"Bearer {key}")
        assert status == 200, answer
        with prometheus(service, key, tmp_path) as address:
            (target,) = ask(address, "targets")["activeTargets"]
            assert (target["health"], target["lastError"]) == ("up", "")
            service.ask("/decisions", applications(20, prefix="B"), authorization=f"Bearer {key}")
            assert unanswered(address) == []
            loaded = [rule["name"] for group in ask(address, "rules")["groups"] for rule in group["rules"]]
            assert sorted(loaded) == sorted(rule["alert"] for rule in RULES)
            assert ask(address, "alerts")["alerts"] == []
        service.stop()
