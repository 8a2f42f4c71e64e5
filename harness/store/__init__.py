"""The record of all evaluations, the registered devices, and who uses what at the moment."""

from harness.store.database import Database, store_url
from harness.store.schema import prepare
from harness.store.store import Store


def open_store(url: str | None = None) -> Store:
    """Open a store; a new one is made.

    Args:
        url: path of a SQLite file, any `sqlite://` or `postgresql://` URL, or None for `$HARNESS_HOME/harness.db`.

    Raises:
        StoreError: if it can't be opened.
        StoreVersion: if it has another schema than this harness's.
        MissingExtra: if the database's driver is not installed.
    """
    database = Database(store_url(url))
    prepare(database)
    return Store(database)


__all__ = ["Store", "open_store"]
