"""Exclusive use of a device or an evaluation while a block runs, kept alive by a thread."""

import logging
import os
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from harness.errors import StoreError
from harness.store import Store
from harness.store.owner import this_process
from harness.store.records import DeviceRecord

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
BEATS = 4
"""Heartbeats in the time after which a lease runs out."""


@dataclass
class Lease:
    """What `lease` gives; true while it is held."""

    resource: str
    """What it is for."""
    held: bool
    """Whether it was got."""
    lost: bool = False
    """Whether somebody else may have the resource by now: what is done under the lease is no longer exclusive."""

    def __bool__(self) -> bool:
        return self.held and not self.lost


NODE = "HARNESS_NODE"
"""Environment variable: what part of a machine this process is on, where a cluster has several nodes on one machine."""


def resource_of(device: DeviceRecord) -> str:
    """What a lease on a device is for. A CPU is known by its model, which many machines share, each with its own."""
    place = "" if device.kind == "cuda" else f"@{this_process().host}{os.environ.get(NODE, '')}"
    return f"device:{device.name}{place}"


@contextmanager
def hold(
    store: Store, device: DeviceRecord, holder: str, seconds: float = 60.0, wait: float | None = None
) -> Generator[bool, None, None]:
    """Hold a device, or all of those that work together, while the block runs; whether they were got. See `lease`."""
    with ExitStack() as leases:
        got = True
        for name in sorted(device.names):  # in one order, so that no two wait for each other
            resource = resource_of(replace(device, name=name))
            got = got and bool(leases.enter_context(lease(store, resource, holder, seconds, wait)))
        yield got


@contextmanager
def lease(
    store: Store, resource: str, holder: str, seconds: float = 60.0, wait: float | None = None
) -> Generator[Lease, None, None]:
    """Hold a resource while the block runs.

    Args:
        store: where leases are kept.
        resource: what is used by one process at a time.
        holder: who says so, for others to read.
        seconds: after how long without a heartbeat others may take it.
        wait: how many seconds to wait for it; None waits for ever. Not got in time, the lease given is false.
    """
    if not _acquire(store, resource, holder, seconds, wait):
        yield Lease(resource, held=False)
        return
    mine, stop = Lease(resource, held=True), threading.Event()
    beat = threading.Thread(target=_beat, args=(store, mine, holder, seconds, stop), daemon=True)
    try:
        beat.start()
        yield mine
    finally:
        stop.set()
        beat.join()
        _release(store, resource, holder)


def _acquire(store: Store, resource: str, holder: str, seconds: float, wait: float | None) -> bool:
    start = time.monotonic()
    while not store.acquire(resource, holder, seconds):
        if wait is not None and time.monotonic() - start >= wait:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _beat(store: Store, mine: Lease, holder: str, seconds: float, stop: threading.Event) -> None:
    """Renew the lease until it is given back; lost if others have it, or if the store was out of reach too long."""
    renewed = time.monotonic()
    try:
        while not stop.wait(seconds / BEATS):
            try:
                if not store.heartbeat(mine.resource, holder, seconds):
                    return
                renewed = time.monotonic()
            except StoreError as error:
                logger.warning("the lease on %s could not be renewed: %s", mine.resource, error)
                if time.monotonic() - renewed >= seconds:
                    return
    finally:
        if not stop.is_set():
            mine.lost = True


def _release(store: Store, resource: str, holder: str) -> None:
    try:
        store.release(resource, holder)
    except StoreError as error:  # it runs out by itself
        logger.warning("the lease on %s could not be given back: %s", resource, error)
