"""The record of all evaluations, the registered devices, and who uses what at the moment."""

from harness.store.database import Database, store_url
from harness.store.patience import patiently
from harness.store.schema import prepare
from harness.store.store import Store


def open_store(url: str | None = None, *, patience: float = 0.0) -> Store:
    """Open a store; a new one is made.

    Args:
        url: path of a SQLite file, any `sqlite://` or `postgresql://` URL, or None for `$HARNESS_HOME/harness.db`.
        patience: for how many seconds the database may be out of reach, now and later, before that is an error.

    Raises:
        StoreError: if it can't be opened.
        StoreVersion: if it has another schema than this harness's.
        MissingExtra: if the database's driver is not installed.
    """
    database = Database(store_url(url))
    patiently(lambda: prepare(database), patience)
    return Store(database, patience)


__all__ = ["Store", "open_store"]
