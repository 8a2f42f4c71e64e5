"""A stored run that answers as the retriever which made it: the first stage of a cascade or a fusion."""

from collections.abc import Sequence
from pathlib import Path

from harness.contracts import Corpus
from harness.errors import StoreError
from harness.records import Query, Run


class RecordedRun:
    """A `harness.contracts.Retriever` over one stored run; it knows no other queries and no greater depth."""

    def __init__(self, run: Run) -> None:
        """Answer from `run`."""
        self._run = run
        self._position = {query_id: position for position, query_id in enumerate(run.query_ids)}

    def index(self, corpus: Corpus) -> None:
        """Nothing to do: the run is of this corpus."""

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The stored rankings of these queries, cut at `k`.

        Raises:
            StoreError: for a query that the run doesn't have.
        """
        try:
            positions = [self._position[query.id] for query in queries]
        except KeyError as error:
            raise StoreError(f"the stored first-stage run has no query {error}; expected queries of its task") from None
        return self._run.select(positions).top(k)

    def save(self, folder: Path) -> None:
        """Nothing to keep: the first stage's evaluation has it."""

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Nothing to take."""
