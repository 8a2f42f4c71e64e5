"""Devices that the user has named, and whether they are still the ones that are present."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from harness.devices.calibration import calibrate
from harness.devices.detection import Device, detect, present, torch_name
from harness.devices.leases import lease, resource_of
from harness.errors import DeviceError, StoreError
from harness.store import Store
from harness.store.records import TOGETHER, DeviceRecord

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def register(store: Store, device: str, name: str) -> DeviceRecord:
    """Calibrate a device and store it under a name; the same device under the same name is calibrated anew.

    Args:
        store: where it is kept.
        device: what torch calls it: `cuda:0`, `mps`, `cpu`.
        name: what you call it.

    Raises:
        DeviceError: if it is not here, or the name is malformed or another device's.
        StoreError: if it is registered under another name.
    """
    found = present(device)
    _check_name(name, found)
    before = store.device(name)
    if before is not None and not _same(before, found):
        raise DeviceError(
            f"the name {name!r} belongs to {before.model} ({before.identity}); choose another, "
            f"or run `harness devices remove {name}` first"
        )
    measured = calibrate(found.torch_name)
    record = DeviceRecord(name=name, calibration=measured, registered=datetime.now(UTC), **asdict(found))
    store.put_device(record)
    return record


def require(store: Store, device: str) -> DeviceRecord:
    """The registered device of this name, or the one that torch calls so; `torch_name` is its name here and now.

    The CPU registers itself as `cpu`. Of `gpu-0+gpu-1`, one record for both, in which names are joined so too.

    Raises:
        DeviceError: if it is not registered, or not present; with the command to run.
    """
    if TOGETHER in device:
        return _group([require(store, name) for name in device.split(TOGETHER)])
    if torch_name(device) is None:
        return _by_name(store, device)
    found, known = present(device), store.devices()
    for record in known:
        if _same(record, found):
            return replace(record, torch_name=found.torch_name)
    if found.kind == "cpu" and all(record.name != "cpu" for record in known):
        return register(store, "cpu", "cpu")
    raise DeviceError(
        f"{found.torch_name} ({found.model}) is not registered; "
        f"run `harness devices register {found.torch_name} --name NAME`"
    )


def enlist(store: Store, device: str) -> DeviceRecord:
    """As `require`, of what torch calls so; not registered yet, it registers itself, named after its model.

    For machines of a cluster, where nobody has named each device, and where many may register one at the same time.
    """
    if TOGETHER in device:
        return require(store, TOGETHER.join(enlist(store, one).name for one in device.split(TOGETHER)))
    found = present(device)
    try:
        return require(store, device)
    except (DeviceError, StoreError):  # not registered, and `cpu` is another machine's, perhaps since a moment ago
        words = re.sub(r"[^A-Za-z0-9]+", "-", f"{found.kind} {found.model}").strip("-").lower()
        return register(store, device, f"{words}-{hashlib.sha256(found.identity.encode()).hexdigest()[:6]}")


def recalibrate(store: Store, name: str) -> DeviceRecord:
    """Measure a registered device's rates again, while nobody uses it.

    Raises:
        DeviceError: if it is not registered, not present, or in use.
    """
    if TOGETHER in name:
        raise DeviceError(f"expected one device, got {name!r}; calibrate them one after the other")
    record = require(store, name)
    resource = resource_of(record)
    with lease(store, resource, f"calibration:{os.getpid()}", wait=0) as mine:
        if not mine:
            user = store.holder(resource)
            raise DeviceError(
                f"{record.name} is in use by {user[0] if user else 'another process'}; wait until it is free"
            )
        measured = replace(record, calibration=calibrate(record.torch_name))
    store.put_device(measured)
    return measured


def _group(devices: Sequence[DeviceRecord]) -> DeviceRecord:
    """One record for devices that work together."""
    names = [device.name for device in devices]
    if len(set(names)) < len(names):
        raise DeviceError(f"{TOGETHER.join(names)}: expected different devices, got one twice")
    if len(models := sorted({device.model for device in devices})) > 1:
        raise DeviceError(f"{TOGETHER.join(names)}: expected devices of one model, got {' and '.join(models)}")
    joined = {key: TOGETHER.join(getattr(one, key) for one in devices) for key in ("name", "torch_name", "identity")}
    return replace(devices[0], memory_bytes=sum(device.memory_bytes for device in devices), **joined)


def _by_name(store: Store, name: str) -> DeviceRecord:
    record = store.device(name)
    if record is None:
        known = ", ".join(device.name for device in store.devices()) or "none"
        wanted = name if NAME.fullmatch(name) else "NAME"
        raise DeviceError(
            f"no device is registered as {name!r} (registered: {known}); "
            f"run `harness devices register DEVICE --name {wanted}`"
        )
    here = detect(record.kind)
    for found in here:
        if _same(record, found):
            return replace(record, torch_name=found.torch_name)
    others = ", ".join(f"{found.torch_name} ({found.identity})" for found in here) or f"no {record.kind} device"
    raise DeviceError(
        f"device {name!r} is {record.model} ({record.identity}); present is {others}; "
        f"use another device, or run `harness devices remove {name}` and register the one that is here"
    )


def _same(record: DeviceRecord, found: Device) -> bool:
    return (record.kind, record.identity) == (found.kind, found.identity)


def _check_name(name: str, found: Device) -> None:
    if not NAME.fullmatch(name):
        raise DeviceError(f"expected a device name of letters, digits, '.', '_' and '-', got {name!r}")
    if torch_name(name) is not None and name != found.torch_name:
        raise DeviceError(f"{name!r} is what torch calls another kind of device; choose another name")
