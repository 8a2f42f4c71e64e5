"""The HTTP library, and a connection with it."""

import importlib
import os
from typing import Any

from harness.errors import ConfigError, MissingExtra


def http() -> Any:
    """The library that huggingface_hub brings; its name changed with version 2 of that.

    Raises:
        MissingExtra: if there is none.
    """
    for name in ("httpx2", "httpx"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise MissingExtra("an endpoint is asked through httpx: pip install 'retrieval-harness[nn]'")


def key_in(variable: str) -> str:
    """The key that this environment variable holds; empty if it isn't set, as local servers need none.

    Raises:
        ConfigError: if it is none that can be sent; the key is not shown.
    """
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"expected the environment variable {variable} to hold a key of plain letters, got others")
    return key


def connect(key: str, timeout: float) -> Any:
    """An `httpx.Client`, which several threads may use; it follows no redirection, so that no other gets the key."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return http().Client(headers=headers, timeout=timeout, follow_redirects=False)
