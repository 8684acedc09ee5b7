"""The verb serve: a supervisor that restarts workers and moves their decisions to the score log until it is stopped."""

import ipaddress
import logging
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipelines.command.verb import Outcome, carried
from pipelines.errors import RequestError, ThinfileError
from pipelines.ledger.champion import FollowedLedger
from pipelines.ledger.policy import policy_of_promotion
from pipelines.model_store.store import existing_store
from pipelines.policy.pack import check_policy
from pipelines.policy.stored_policies import keep_policy
from pipelines.profiles.dimensions import dimensions_of
from pipelines.secrets.environment_text import without_marks
from pipelines.serving.champion import Follower, open_serving
from pipelines.serving.contradictions import CONTRADICTED
from pipelines.serving.keys import ApiKeys
from pipelines.serving.metrics import Metrics
from pipelines.serving.roller import Roller, versions_in
from pipelines.serving.settings import ServeSettings, check_service
from pipelines.serving.worker import TEND_SECONDS, WorkerPlan
from pipelines.storage.cores import usable_cores
from pipelines.storage.process import is_dead, process_identity
from pipelines.storage.workspace import Workspace

logger = logging.getLogger(__name__)


def serve(settings: ServeSettings, *, follows_policy: bool = False) -> Outcome:
    """Serve decisions until SIGTERM or SIGINT; requests under way are answered and all is logged before this returns.

    With `follows_policy` each champion decides under the policy that it was promoted under, in place of that of the
    settings.

    Raises:
        ConfigurationError: limits that no request can meet, a policy that cannot rank, or wrong segments.
        RequestError: no champion, no such shadow, an address that is taken or, without a key, open to other machines.
        ThinfileError: the champion's files are not those that were registered, or no worker can start.
    """
    check_service(settings)
    check_policy(settings.policy)
    dimensions_of(settings.data, ())
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    champion = FollowedLedger(store, settings.model).last_proven().registered
    if follows_policy:
        policy = policy_of_promotion(workspace, settings.model, champion.version)
        settings = settings if policy is None else replace(settings, policy=policy)
    open_serving(store, champion, settings.policy)
    is_open = _is_open(settings, ApiKeys(workspace.serving / "keys.json"))
    shadow = settings.shadow and open_serving(store, store.version(settings.model, settings.shadow), settings.policy)
    keep_policy(workspace, settings.policy)
    settings = replace(without_marks(settings), policy=settings.policy)  # whose hash covers texts as they are recorded
    workers = settings.workers or usable_cores()
    with _listening(settings) as listener, _run_folder(workspace) as run:
        metrics = Metrics(run)
        roller = Roller(workspace, versions_in(store, settings.data, settings.policy.models), metrics, shadow or None)
        tending = Follower(TEND_SECONDS, lambda: roller.tend(settings.roll.every_seconds, settings.roll.at_rows))
        tending.start()
        address = _address(settings, listener)
        logger.info("%s version %d at %s, %d workers", settings.model, champion.version, address, workers)
        try:
            plan = WorkerPlan(settings, workers, run, os.getpid(), is_open, follows_policy)
            has_failed = _supervise(settings, plan, listener)
        finally:
            tending.stop()
            roller.roll()
            roller.close()
        totals = metrics.total()
    if has_failed:
        raise ThinfileError("no worker could start; see the log above")
    return _outcome(settings, address, totals)


def _supervise(settings: ServeSettings, plan: WorkerPlan, listener: socket.socket) -> bool:
    """Keep the workers alive until a signal comes; return whether they could not even start."""
    from uvicorn import Config
    from uvicorn.supervisors import Multiprocess

    config = Config(
        plan,
        factory=True,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        workers=plan.workers,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=settings.stop_seconds,
        timeout_worker_healthcheck=30,
    )
    supervisor = Multiprocess(config, [listener])
    supervisor.run()
    return any(process.exitcode == 3 for process in supervisor.processes)


def _is_open(settings: ServeSettings, keys: ApiKeys) -> bool:
    """Return whether callers need no key. Raises RequestError where that would open the service to other machines."""
    if any(key.revoked is None for key in keys.all()):
        return False
    if not is_loopback(settings.host):
        raise RequestError(
            f"host={settings.host} is reachable from other machines, but no API key exists; "
            f"create one with `thinfile serve key name=checkout{carried(settings)}`"
        )
    logger.warning("no API key: any local process may request decisions (`thinfile serve key` makes a key)")
    return True


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _listening(settings: ServeSettings) -> Iterator[socket.socket]:
    """Yield a socket bound to the address; workers share it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((settings.host, settings.port))
        except OSError as error:
            raise RequestError(
                f"{settings.host} port {settings.port} is unavailable ({error.strerror}); use another port"
            ) from error
        bound.set_inheritable(True)
        yield bound


@contextmanager
def _run_folder(workspace: Workspace) -> Iterator[Path]:
    """Yield a folder for the counters of this run; those of runs that are dead are cleared."""
    for left in workspace.serving.glob("run~*"):
        if is_dead(left.name.partition("~")[2]):
            shutil.rmtree(left, ignore_errors=True)
    folder = workspace.serving / f"run~{process_identity()}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _address(settings: ServeSettings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


def _outcome(settings: ServeSettings, address: str, totals: dict[str, float]) -> Outcome:
    result = {"address": address} | {name: int(value) for name, value in totals.items()}
    lines = [
        f"served {address}: {result['decisions']:,} decisions, {result['rolled']:,} written to the score log",
        f"  {result['approved']:,} approved, {result['declined']:,} declined, {result['referred']:,} referred",
    ]
    if result["contradicted"]:
        aside = Workspace.at(settings.workspace).serving / CONTRADICTED
        lines.append(
            f"  {result['contradicted']:,} were decided otherwise by a scored table, whose decisions the log keeps; "
            f"those of the service are in {aside}"
        )
    if settings.shadow is not None:
        lines.append(f"  version {settings.shadow} scored {result['shadow_scored']:,} of them as the shadow")
    watch = f"thinfile watch period={datetime.now(UTC):%Y-%m}{carried(settings)}"
    return Outcome(result, summary=lines, next_steps=[watch] if result["rolled"] else [])
