"""`endpoint:https://host/v1#model`: the name of a model behind an OpenAI-compatible endpoint."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

MARK = "endpoint:"
SHAPE = re.compile(r"endpoint:(?P<url>https?://[^\s/@?#]+(/[^\s?#]*)?)#(?P<model>\S+)")


class Address(NamedTuple):
    """Where a model is asked."""

    url: str
    """Up to the version of the interface, without the slash at the end."""
    model: str
    """What the endpoint calls it."""


def is_endpoint(name: str) -> bool:
    """Whether a model's name is meant as an endpoint's."""
    return name.startswith(MARK)


def parse_address(name: str) -> Address:
    """The parts of an endpoint's name.

    Raises:
        ValueError: in words; a user name or password in the address is refused, since names are stored.
    """
    parts = SHAPE.fullmatch(name)
    if not parts or not _sound(parts["url"]):
        raise ValueError(
            f"expected an endpoint as endpoint:https://HOST/v1#MODEL, without user name or query, got {_shown(name)!r}"
        )
    return Address(parts["url"].rstrip("/"), parts["model"])


def _sound(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that don't close
        return False


def _shown(name: str) -> str:
    """The name without what may be a password."""
    return re.sub(r"//.*@", "//…@", name)
