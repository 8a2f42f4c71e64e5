"""What a zip archive from elsewhere may hold: plain members of known names, stored as they are, no links, no bombs."""

import re
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from harness.errors import HarnessError

UNREADABLE = (BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError, struct.error)
"""What reading a broken archive may raise."""

Unexpected = Callable[[str, str], HarnessError]
"""What was expected, what came → the error to raise."""


def plain_members(
    archive: ZipFile, file: Path, names: re.Pattern[str], expected: str, unexpected: Unexpected
) -> dict[str, ZipInfo]:
    """The members by name, which together are no larger than the archive; no name is ever used as a path.

    Args:
        archive: the archive, open.
        file: where it lies.
        names: what every name must match, as a whole.
        expected: the same in words.
        unexpected: makes the error.

    Raises:
        HarnessError: from `unexpected`: another name, one that comes twice, a link or folder, a packed or encrypted
            member, or sizes that don't fit into the archive.
    """
    found: dict[str, ZipInfo] = {}
    for info in archive.infolist():
        name = info.orig_filename
        if not names.fullmatch(name):
            raise unexpected(expected, f"a member {name[:100]!r}")
        if name in found:
            raise unexpected("every member once", f"{name} twice")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise unexpected("plain files", f"{name} as a link or something else")
        if info.compress_type != ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise unexpected("members stored as they are", f"{name} packed or encrypted")
        found[name] = info
    total, size = sum(info.file_size for info in found.values()), file.stat().st_size
    if total > size:
        raise unexpected(f"members that fit into its {size} bytes", f"{total} bytes of them")
    return found
