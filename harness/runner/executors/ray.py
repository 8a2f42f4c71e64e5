"""The executor of a Ray cluster: a station for each device of each node, as nodes come and go.

A node's GPUs and cores are requested as Ray's resources, so that other jobs of the cluster are respected. A node that
dies takes its stations with it; the leases of what they did run out, and the stations of other nodes take it.
"""

import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.card import knob
from harness.devices.leases import NODE
from harness.errors import ConfigError, HarnessError, MissingExtra
from harness.runner.executors.base import Tell
from harness.runner.executors.following import Follower
from harness.runner.executors.station import Station
from harness.runner.plan import Work
from harness.store import open_store
from harness.store.patience import PATIENCE_SECONDS

POLL_SECONDS = 0.3
END_SECONDS = 15.0
"""How long stations get to end by themselves."""
TRIES = 3
"""Stations that are begun in one place, one after the other, if each is lost while its node lives on."""
HANDED_ON = ("HF_HOME", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "OMP_NUM_THREADS")
"""Environment variables that stations get, beside HARNESS_…; never a token: Ray shows them to the cluster's users."""


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """`-e KEY=VALUE` of `--executor ray`."""

    address: str = knob("", "of the cluster; default: RAY_ADDRESS, else the one that runs on this machine")
    cores: int | None = knob(None, "cores that a station without GPU asks for; none: all of its node", low=1)


@dataclass(frozen=True)
class Place:
    """Where a station can be."""

    node: str
    """Ray's id of the node."""
    name: str
    """The node's address, for people."""
    device: str
    """Torch name of the device, as the station sees it."""
    number: int
    """Which of the node's devices of this kind."""
    resources: tuple[float, float]
    """Cores and GPUs."""


@dataclass
class RayExecutor:
    """Runs a plan on all nodes of a cluster."""

    store_url: str | None
    """The store; every node must reach it."""
    devices: Sequence[str]
    """Kinds of devices to use, `cuda` or `cpu`; none: a node's GPUs, or its cores where it has none."""
    options: RayOptions
    """What else was asked for."""
    tell: Tell
    """Called with every event, in this process."""
    time_limit: float | None = None
    """Seconds that an evaluation may take."""
    _tries: dict[Place, int] = field(default_factory=dict[Place, int])
    _stations: dict[Any, Place] = field(default_factory=dict[Any, Place])
    _reasons: list[str] = field(default_factory=list[str])

    def run(self, works: Sequence[Work]) -> dict[str, str]:
        """Settle the plan; see `Executor`.

        Raises:
            MissingExtra: Ray is not installed.
            ConfigError: there is no cluster, no such device in it, or a store that it can't share.
            HarnessError: all stations are gone and evaluations are left; with what each said.
        """
        ray, connected = _connect(self.options.address)
        try:
            follower = Follower(open_store(self.store_url, patience=PATIENCE_SECONDS), works, self.tell)
            self._check(ray, follower)
            facts: dict[str, Any] = {"before": follower.before, "time_limit": self.time_limit}
            station = Station(works=works, store=self.store_url, devices=(), **facts)
            self._follow(ray, follower, station)
        finally:
            self._stop(ray)
            if connected:
                ray.shutdown()
        return follower.settled

    def _follow(self, ray: Any, follower: Follower, station: Station) -> None:
        while not follower.look():
            self._staff(ray, station)
            if not self._stations:
                raise HarnessError(
                    f"{_lost(follower)}; {'; '.join(self._reasons)}; run the command again once they are mended"
                )
            ended, _ = ray.wait(list(self._stations), timeout=POLL_SECONDS)
            for reference in ended:
                self._end(ray, reference)

    def _check(self, ray: Any, follower: Follower) -> None:
        """Refuse what would wait for ever or break the store."""
        nodes = [node for node in ray.nodes() if node["Alive"]]
        if follower.store.database.sqlite and len({node["NodeManagerHostname"] for node in nodes}) > 1:
            raise ConfigError(
                "the cluster has several machines, and a SQLite store is good for one; --store postgresql://…"
            )
        if not any(True for node in nodes for _ in self._places(node)):
            raise ConfigError(
                f"no node of the cluster has a {' or '.join(self.devices) or 'core'}; it has {_inventory(nodes)}"
            )

    def _staff(self, ray: Any, station: Station) -> None:
        """Begin a station in every place that has none."""
        busy = set(self._stations.values())
        for node in ray.nodes():
            for place in self._places(node) if node["Alive"] else ():
                if place not in busy and self._tries.get(place, 0) < TRIES:
                    self._tries[place] = self._tries.get(place, 0) + 1
                    self._stations[_begin(ray, place, station)] = place

    def _places(self, node: dict[str, Any]) -> Iterator[Place]:
        cores, gpus = node["Resources"].get("CPU", 0.0), int(node["Resources"].get("GPU", 0))
        name = node["NodeManagerAddress"]
        if gpus and "cpu" not in self.devices:
            for number in range(gpus):
                yield Place(node["NodeID"], name, "cuda:0", number, (1.0, 1.0))
        elif cores and "cuda" not in self.devices:
            yield Place(node["NodeID"], name, "cpu", 0, (float(self.options.cores or cores), 0.0))

    def _end(self, ray: Any, reference: Any) -> None:
        """Note why a station ended, if not because all is settled."""
        place = self._stations.pop(reference)
        try:
            ray.get(reference)
            self._tries[place] = TRIES
        except ray.exceptions.RayTaskError as error:
            self._tries[place] = TRIES  # it would say the same again
            self._reasons.append(f"{place.name} {place.device}: {error.cause}")
        except ray.exceptions.RayError as error:
            self._reasons.append(f"{place.name} {place.device}: {str(error).splitlines()[0]}")

    def _stop(self, ray: Any) -> None:
        """End the stations that are left: they stop by themselves when all is settled, else they are interrupted."""
        end = time.monotonic() + END_SECONDS
        for patience in (1.0, END_SECONDS):
            _, running = ray.wait(list(self._stations), num_returns=len(self._stations), timeout=patience)
            for reference in running:
                ray.cancel(reference, force=time.monotonic() > end)
            self._stations = {reference: self._stations[reference] for reference in running}
            if not running:
                return
        for reference in self._stations:
            ray.cancel(reference, force=True)


def _connect(address: str) -> tuple[Any, bool]:
    """Ray, connected, and whether this function did so."""
    try:
        import ray
    except ImportError:
        raise MissingExtra("--executor ray needs Ray: pip install 'retrieval-harness[ray]'") from None
    if ray.is_initialized():
        return ray, False
    try:
        _knock(address or os.environ.get("RAY_ADDRESS", ""))
        ray.init(address=address or "auto", log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"no Ray cluster could be reached ({' '.join(str(error).split())[:300]}); start one with "
            "`ray start --head`, or name it with RAY_ADDRESS or -e address=HOST:PORT"
        ) from error
    return ray, True


def _knock(address: str) -> None:
    """Raise OSError if nobody listens at HOST:PORT; Ray itself would wait for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=END_SECONDS).close()


def _begin(ray: Any, place: Place, station: Station) -> Any:
    """Send the station to its place; what stands for it until it ends."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    cores, gpus = place.resources
    environment = {key: value for key, value in os.environ.items() if key.startswith("HARNESS_") or key in HANDED_ON}
    environment.pop("HARNESS_STORE", None)  # it may hold a password; the station has it
    remote = ray.remote(
        num_cpus=cores,
        num_gpus=gpus,
        max_retries=0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(place.node, soft=False),
        runtime_env={"env_vars": environment | {NODE: place.node}},
    )(_work)
    return remote.remote(replace(station, devices=(place.device,)))


def _work(station: Station) -> dict[str, str]:
    return station()


def _lost(follower: Follower) -> str:
    return f"{len(follower.left)} evaluations are left and no node of the cluster works on them any more"


def _inventory(nodes: Sequence[dict[str, Any]]) -> str:
    found = [
        f"{node['Resources'].get('CPU', 0):.0f} cores, {node['Resources'].get('GPU', 0):.0f} GPUs" for node in nodes
    ]
    return "; ".join(found) or "no node"
