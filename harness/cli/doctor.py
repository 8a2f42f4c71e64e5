"""`harness doctor`: what an evaluation needs, and whether it is there."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import click

from harness.cli.options import format_option, printable, show_json, store_option

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    about: str
    """What."""
    state: Literal["ok", "broken"]
    """Whether something must be mended."""
    detail: str
    """What was found."""


@click.command()
@store_option
@format_option
def doctor(store: str | None, format: str) -> None:
    """Check packages, plugins, home, store, devices and offline mode. Exit status 1: something is broken."""
    found = [*_environment(), *_plugins(), _home(), _store(store), _torch(), *_devices(), offline()]
    if format == "json":
        show_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            state = "ok    " if finding.state == "ok" else "BROKEN"
            click.echo(f"{state}  {finding.about}: {printable(finding.detail)}")
    sys.exit(1 if any(finding.state == "broken" for finding in found) else 0)


def _ok(about: str, detail: str) -> Finding:
    return Finding(about=about, state="ok", detail=detail)


def _broken(about: str, error: Exception) -> Finding:
    return Finding(about=about, state="broken", detail=" ".join(str(error).split()) or type(error).__name__)


def _environment() -> Iterator[Finding]:
    from harness.environment import describe

    facts: Mapping[str, Any] = describe()
    system = facts["system"]
    name = system.get("distribution", f"{system['os']} {system['kernel']}")
    yield _ok("python", f"{facts['python']}, {sys.prefix}")
    yield _ok("system", f"{name}, {facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB")
    yield _ok("packages", ", ".join(f"{package} {version}" for package, version in facts["packages"].items()))


def _plugins() -> Iterator[Finding]:
    from harness.plugins import registry

    names = [plugin.source.name for plugin in registry().plugins]
    yield _ok("plugins", f"{len(names)} work: {', '.join(names)}" if names else "none is installed")
    for broken in registry().broken:
        yield _broken("plugin", broken.error)


def _home() -> Finding:
    from harness.home import home

    try:
        with tempfile.TemporaryFile(dir=home()):
            return _ok("home", f"{home()} (HARNESS_HOME) can be written to")
    except OSError as error:
        return _broken("home", error)


def _store(url: str | None) -> Finding:
    from harness.errors import HarnessError
    from harness.store import open_store

    try:
        opened = open_store(url)
        states = [evaluation.state for evaluation in opened.evaluations(per_query=False)]
    except (HarnessError, OSError) as error:
        return _broken("store", error)
    counts = f"{states.count('done')} evaluations done, {states.count('failed')} failed"
    return _ok("store", f"{opened.database.address}, {counts}")


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return _ok("torch", "not installed; neural methods need it: pip install 'retrieval-harness[nn]'")
    try:
        import torch
    except (ImportError, OSError, RuntimeError) as error:  # it is installed and can't be used
        return _broken("torch", error)
    return _ok("torch", f"{torch.__version__} can be imported")


def _devices() -> Iterator[Finding]:
    from harness.devices import detect

    for device in detect():
        yield _ok("device", f"{device.torch_name}: {device.model}, {device.memory_bytes / 2**30:.1f} GiB")


def offline() -> Finding:
    """Whether models and data sets may be fetched."""
    off = [name for name in OFFLINE if os.environ.get(name, "").lower() in ("1", "true", "yes", "on")]
    if len(off) == len(OFFLINE):
        return _ok("hub", "offline: models and data sets are taken from the cache only")
    return _ok(
        "hub", f"online; without a network set {' and '.join(f'{name}=1' for name in OFFLINE if name not in off)}"
    )
