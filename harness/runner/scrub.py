"""An error's message → one that may be stored, bundled and shown: no folder, person or machine by name, and no key."""

import getpass
import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from harness.store.places import without_places

SECRET = re.compile("TOKEN|KEY|SECRET|PASS|CREDENTIAL|AUTH", re.I)
"""Names of environment variables whose values are never shown."""

SHORTEST = 6
"""A shorter value is no secret: it would be found in many words."""

USER = re.compile(r"(?<=//)[^\s/@]+@")
"""User name and password in an address."""

NOBODY = ("root", "user", "localhost")
"""Names that name nobody, and are words of many messages."""

HIDDEN = "…"


def scrubbed(text: str) -> str:
    """The text without what it tells of this machine, whoever wrote it."""
    text = USER.sub(f"{HIDDEN}@", text)
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = re.sub(rf"{re.escape(str(Path.home()))}(?![\w.-])", "~", text) if len(Path.home().parts) > 1 else text
    for name in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", HIDDEN, text)
    return without_places(text)


def _secrets() -> Iterator[str]:
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= SHORTEST:
            yield value


def _names() -> Iterator[str]:
    """The machine's name, with and without its domain, and the user's."""
    host = platform.node()
    names = {host, host.partition(".")[0]}
    with suppress(OSError, KeyError):  # a user without an entry
        names.add(getpass.getuser())
    yield from (name for name in sorted(names, key=len, reverse=True) if len(name) > 2 and name not in NOBODY)
