"""Folders of a machine in foreign text: they name people and machines, and say nothing elsewhere."""

import re

_NAME = r"[^\s/\\'\"`,;:()<>=|\[\]{}*+?^$]*"
_PLACE = re.compile(rf"(?<![\w/\\.~:-])(?:file://)?(?:~|\.\.|[A-Za-z]:(?=[\\/]))?[\\/](?:{_NAME}[\\/])*{_NAME}")


def last_part(path: str) -> str:
    """The last part of a path or hub id: what a checkpoint is called."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path


def without_places(text: str) -> str:
    """The text with every folder of the machine that made it cut to `…/` and its last part."""
    return _PLACE.sub(_shorten, text) if "/" in text or "\\" in text else text


def _shorten(match: re.Match[str]) -> str:
    whole, name = match.group(), last_part(match.group())
    lone = whole[0] in "/\\" and len(re.findall(r"[\\/]", whole)) < 2
    return whole if lone or name == whole else f"…/{name}"  # `/`, `//` and `/name` are no places
