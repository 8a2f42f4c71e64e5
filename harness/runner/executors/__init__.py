"""Executors by name: what settles a plan on this machine, a Ray cluster or a Slurm cluster."""

from collections.abc import Mapping, Sequence
from typing import Literal

from harness import devices as registered
from harness.config import fill
from harness.errors import ConfigError
from harness.plugins import registry
from harness.runner.executors.base import Executor, Tell
from harness.store import open_store

Name = Literal["local", "ray", "slurm"]


def executor(
    name: Name,
    options: Mapping[str, str],
    *,
    store: str | None,
    devices: Sequence[str],
    tell: Tell,
    time_limit: float | None = None,
) -> Executor:
    """The executor of this name.

    Args:
        name: of which kind.
        options: text values by option name (`-e`).
        store: URL of the store.
        devices: names of registered devices for `local`; for the others kinds of devices, `cuda` or `cpu`.
        tell: called with every event.
        time_limit: seconds that an evaluation may take; one that takes longer is ended and has failed.

    Raises:
        ConfigError: an option that the executor doesn't have, or a device of a kind that it can't ask for.
        DeviceError: a device that isn't registered.
    """
    opened = open_store(store)  # out of reach, it is an error now; later it is waited for
    if name == "local":
        if options:
            raise ConfigError(
                f"the local executor has no options; -e {next(iter(options))}=… is for --executor ray|slurm"
            )
        from harness.runner.executors.local import LocalExecutor

        names = [registered.require(opened, one).name for one in devices or ("cpu",)]
        return LocalExecutor(store, names, tell, time_limit=time_limit)
    if wrong := [one for one in devices if one not in ("cuda", "cpu")]:
        raise ConfigError(f"--executor {name} takes kinds of devices, cuda or cpu, got --device {wrong[0]}")
    if name == "ray":
        from harness.runner.executors.ray import RayExecutor, RayOptions

        chosen = fill(registry(), "--executor ray", RayOptions, options)
        return RayExecutor(store, devices, chosen, tell, time_limit=time_limit)
    from harness.runner.executors.slurm import SlurmExecutor, SlurmOptions

    wanted = fill(registry(), "--executor slurm", SlurmOptions, options)
    return SlurmExecutor(store, devices, wanted, tell, time_limit=time_limit)


__all__ = ["Executor", "Name", "executor"]
