"""What a folder's SOURCE.md says of where its data comes from: lines such as `Licence: …`, `Citation: …`."""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError

NAMES = "where from|source|citation|licence|license|languages?|revision|exclude self"
LINE = re.compile(rf"^\W*({NAMES})\b[^:]*:[\s*_]*(.+)$", re.I)
TITLE = re.compile(r"^#\s+(.+)$", re.M)
FIELDS = {"where from": "source", "license": "licence", "language": "languages", "exclude self": "exclude_self"}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What SOURCE.md says; empty where it says nothing."""

    title: str = ""
    """Its first heading."""
    source: str = ""
    """`Where from:` or `Source:`."""
    citation: str = ""
    """`Citation:`."""
    licence: str = ""
    """`Licence:`."""
    languages: tuple[str, ...] = ()
    """`Languages:`, BCP 47 codes separated by commas."""
    revision: str = ""
    """`Revision:`."""
    exclude_self: bool = False
    """`Exclude self: yes`: see `TaskFacts.exclude_self`."""


def provenance(folder: Path) -> Provenance:
    """What the folder's SOURCE.md says; everything empty if there is none.

    Raises:
        DataError: `Exclude self` is neither yes nor no, since it changes scores.
    """
    path = folder / "SOURCE.md"
    if not path.is_file():
        return Provenance()
    text = path.read_text(encoding="utf-8", errors="replace")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := LINE.match(line):
            name = match[1].lower()
            found.setdefault(FIELDS.get(name, name), match[2].strip())
    title = TITLE.search(text)
    return Provenance(
        title=title[1].strip() if title else "",
        source=found.get("source", ""),
        citation=found.get("citation", ""),
        licence=found.get("licence", ""),
        languages=tuple(code for code in re.split(r"[\s,]+", found.get("languages", "")) if code),
        revision=found.get("revision", ""),
        exclude_self=_yes(path, found.get("exclude_self", "no")),
    )


def _yes(path: Path, text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise DataError(
            f"{path.parent.name}/{path.name}: expected `Exclude self: yes` or `no`, got {text!r}; write one"
        )
    return text.lower() == "yes"
