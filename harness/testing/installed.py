"""Plugins laid out in a folder as pip would have installed them, to test discovery without installing anything."""

from collections.abc import Mapping
from pathlib import Path


def install(
    folder: Path,
    name: str,
    source: str,
    *,
    method: str = "",
    distribution: str = "",
    version: str = "1.0",
    module: str = "",
) -> None:
    """Write a plugin; with `folder` on the path of modules it is found.

    Args:
        folder: stands for `site-packages`.
        name: the entry point.
        source: content of the plugin's `__init__.py`.
        method: content of its `method.py`.
        distribution: name of the distribution; `harness-NAME` if empty.
        version: its version.
        module: name of the package; `harness_NAME` if empty.
    """
    distribution = distribution or f"harness-{name}"
    module = module or f"harness_{name.replace('-', '_')}"
    files: Mapping[str, str] = {
        f"{module}/__init__.py": source,
        f"{module}/method.py": method,
        f"{_stem(distribution)}-{version}.dist-info/METADATA": f"Name: {distribution}\nVersion: {version}\n",
        f"{_stem(distribution)}-{version}.dist-info/entry_points.txt": f"[harness]\n{name} = {module}\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def _stem(distribution: str) -> str:
    return distribution.replace("-", "_")
