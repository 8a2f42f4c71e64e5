"""Artefacts for machines that have no folder in common: any address that fsspec knows, such as `s3://bucket/harness`.

`$HARNESS_ARTEFACTS` names it. Files are written there when an evaluation is stored, and fetched to this machine when
they are asked for; what is fetched is compared with the stored sha256, as every artefact is.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import MissingExtra, StoreError

VARIABLE = "HARNESS_ARTEFACTS"
"""Environment variable: a folder, or an address of fsspec; unset: `$HARNESS_HOME/artefacts`."""


def remote() -> "Remote | None":
    """The address, if one is set that is no folder."""
    address = os.environ.get(VARIABLE, "")
    return Remote(address.rstrip("/")) if "://" in address else None


@dataclass(frozen=True)
class Remote:
    """Files below an address, by paths relative to it."""

    address: str
    """With its protocol."""

    def put(self, file: Path, path: str) -> None:
        """Store a file: it appears whole or not at all.

        Raises:
            StoreError: the address can't be written to.
        """
        with self._opened() as (system, root):
            part = f"{root}/{path}.part-{os.getpid()}"
            system.makedirs(part.rpartition("/")[0], exist_ok=True)
            system.put_file(str(file), part)
            system.mv(part, f"{root}/{path}")

    def fetch(self, path: str, file: Path) -> bool:
        """Copy a stored file to a path of this machine, whole; whether it was there."""
        with self._opened() as (system, root):
            if not system.exists(f"{root}/{path}"):
                return False
            part = file.with_name(f".{file.name}.{os.getpid()}")
            system.get_file(f"{root}/{path}", str(part))
            part.replace(file)
            return True

    def has(self, path: str) -> bool:
        """Whether a file or folder is there."""
        with self._opened() as (system, root):
            return bool(system.exists(f"{root}/{path}"))

    def remove(self, path: str) -> None:
        """Remove a file, or a folder and all that is in it; what isn't there is removed already."""
        with self._opened() as (system, root):
            if system.exists(f"{root}/{path}"):
                system.rm(f"{root}/{path}", recursive=True)

    def files(self, path: str) -> list[str]:
        """Paths of all files below a folder."""
        with self._opened() as (system, root):
            found = system.find(f"{root}/{path}") if system.exists(f"{root}/{path}") else []
            return sorted(name.removeprefix(root).lstrip("/") for name in found)

    @contextmanager
    def _opened(self) -> Generator[tuple[Any, str], None, None]:
        """The file system and the address's path on it."""
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtra(
                f"{VARIABLE} is an address, which needs fsspec: pip install 'retrieval-harness[remote]'"
            ) from None
        try:
            system, root = url_to_fs(self.address)
            yield system, root.rstrip("/")
        except (OSError, ValueError, ImportError) as error:  # fsspec names what is to be installed for a protocol
            raise StoreError(f"artefacts at {self._shown}: {' '.join(str(error).split())}") from error

    @property
    def _shown(self) -> str:
        """The address without a user part, which may hold a password."""
        protocol, _, rest = self.address.partition("://")
        return f"{protocol}://{rest.rpartition('@')[2]}"
