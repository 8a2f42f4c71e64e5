"""Foreign text → what may stand on a page: no machine's folders, no invisible characters, no links but to the web."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from harness.store.places import without_places

# Control characters, direction overrides and marks, zero-width spaces, lone surrogates, non-characters: a name made of
# them can look like another name, or turn the text around it.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(value: Any) -> Any:
    """The value as it is shown: characters that can't be seen become U+FFFD; markup made by our templates stays."""
    if type(value) is str and value.isascii() and value.isprintable():
        return value
    return _UNSEEN.sub("\ufffd", value) if isinstance(value, str) and not isinstance(value, Markup) else value


def link(url: Any) -> str:
    """The address if it is one of the web (http or https, a host, no user name), else nothing."""
    text = str(url or "").strip()
    if not text or _UNSEEN.search(text) or re.search(r"[\s\\]", text):
        return ""
    try:
        parts = urlsplit(text)
        safe = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        return text if safe else ""
    except ValueError:
        return ""


def publish(value: Any) -> Any:
    """Any JSON value with `without_places` applied to every text in it, keys in order."""
    if isinstance(value, str):
        return without_places(value)
    if isinstance(value, (int, float)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [publish(item) for item in value]
    if isinstance(value, Mapping):
        keys = sorted(value, key=str)
        shown = [without_places(str(key)) for key in keys]
        names = shown if len(set(shown)) == len(shown) else unique(shown)
        return {name: publish(value[key]) for name, key in zip(names, keys, strict=True)}
    return value


def displayed(value: Any) -> Any:
    """Any JSON value of ours with its texts as a page shows them, for a script that puts them on one; keys in order."""
    if isinstance(value, str):
        return visible(without_places(value))
    if isinstance(value, (list, tuple)):
        return [displayed(item) for item in value]
    if isinstance(value, Mapping):
        return {key: displayed(value[key]) for key in sorted(value)}
    return value


def slug(text: str, limit: int = 60) -> str:
    """A file name that is safe everywhere: lower-case ASCII letters, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:limit].strip("-") or "x"


def unique(wanted: Iterable[str]) -> list[str]:
    """The names in this order, `-2`, `-3` … appended where one is taken already."""
    taken: dict[str, None] = {}
    for name in wanted:
        candidate, count = name, 1
        while candidate in taken:
            count += 1
            candidate = f"{name}-{count}"
        taken[candidate] = None
    return list(taken)
