"""`harness devices`: what evaluations run on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import format_option, show_json, show_table, store_option

if TYPE_CHECKING:
    from harness.devices import Device
    from harness.store.records import DeviceRecord


@click.group()
def devices() -> None:
    """Register, calibrate and list devices."""


@devices.command("list")
@format_option
@store_option
def list_(store: str | None, format: str) -> None:
    """List registered devices, and those of this machine that are not registered."""
    from harness.devices import detect
    from harness.store import open_store

    rows = rows_of(open_store(store).devices(), detect())
    if format == "json":
        show_json(rows)
        return
    columns = ["name", "state", "device", "model", "memory", "GFLOP/s", "copy GB/s"]
    show_table(columns, [_cells(row) for row in rows])


def rows_of(registered: "Sequence[DeviceRecord]", here: "Sequence[Device]") -> list[dict[str, Any]]:
    """One row a device: `present`, `absent` (registered, and not on this machine) or `unregistered`."""
    from dataclasses import asdict

    place = {(device.kind, device.identity): device.torch_name for device in here}
    rows: list[dict[str, Any]] = []
    for record in registered:
        key = record.kind, record.identity
        state = "present" if key in place else "absent"
        rows.append(asdict(record) | {"state": state, "torch_name": place.pop(key, record.torch_name)})
    unregistered = [device for device in here if (device.kind, device.identity) in place]
    return rows + [
        {"name": None, "state": "unregistered", "calibration": {}, **asdict(device)} for device in unregistered
    ]


def _cells(row: dict[str, Any]) -> list[str]:
    rates = [row["calibration"].get(name) for name in ("matmul_gflops", "copy_gb_per_s")]
    memory = f"{row['memory_bytes'] / 2**30:.1f} GiB"
    measured = ["–" if rate is None else f"{rate:,.1f}" for rate in rates]
    return [row["name"] or "–", row["state"], row["torch_name"], row["model"], memory, *measured]


@devices.command()
@click.argument("device")
@click.option("--name", required=True, metavar="NAME", help="What you call it, such as lab-a100.")
@store_option
def register(device: str, name: str, store: str | None) -> None:
    """Calibrate DEVICE (what torch calls it: cuda:0, mps, cpu) and register it."""
    from harness.devices import register
    from harness.store import open_store

    _say(register(open_store(store), device, name))


@devices.command()
@click.argument("name")
@store_option
def calibrate(name: str, store: str | None) -> None:
    """Measure a registered device's rates again."""
    from harness.devices import recalibrate
    from harness.store import open_store

    _say(recalibrate(open_store(store), name))


def _say(record: "DeviceRecord") -> None:
    rates = record.calibration
    click.echo(
        f"{record.name}: {record.model} ({record.torch_name}), {rates['matmul_gflops']:,.0f} GFLOP/s, "
        f"copies {rates['copy_gb_per_s']:,.1f} GB/s"
    )


@devices.command()
@click.argument("name")
@store_option
def remove(name: str, store: str | None) -> None:
    """Forget a device; evaluations keep its name and calibration."""
    from harness.store import open_store

    open_store(store).remove_device(name)
    click.echo(f"{name} removed")
