"""An encoder and an index make a retriever: what every neural first stage is, trained here or elsewhere."""

import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from jaxtyping import Float32, Int32

from harness.contracts import Context, Corpus, Role
from harness.errors import ContractError
from harness.nn.resuming import assist, forget, resumed
from harness.records import Query, Run

BLOCK = 8192
"""Documents encoded at once."""


class Encoder(Protocol):
    """Texts → embeddings of whatever form the index takes."""

    @property
    def parameters(self) -> int:
        """How many numbers it has learnt."""
        ...

    def __call__(self, texts: Sequence[str], role: Role) -> Any:
        """The embeddings of queries or documents."""
        ...


class Index(Protocol):
    """Embeddings of documents, searched with embeddings of queries; see `harness.index`."""

    @classmethod
    def build(cls, folder: Path, corpus: Corpus, blocks: Iterator[Any]) -> Self:
        """Write the embeddings, block by block in the order of the corpus, to an empty folder."""
        ...

    @classmethod
    def load(cls, folder: Path, corpus: Corpus) -> Self:
        """Open what `build` or `save` wrote."""
        ...

    def save(self, folder: Path) -> None:
        """Copy it to an empty folder."""
        ...

    def search(self, queries: Any, k: int) -> tuple[Int32[np.ndarray, "queries k"], Float32[np.ndarray, "queries k"]]:
        """Rows and scores of the best documents of each query."""
        ...


class EmbeddingRetriever:
    """A `harness.contracts.Retriever`: documents are encoded into an index, queries into what it is searched with."""

    def __init__(
        self,
        encoder: Encoder,
        index: type[Index],
        folder: Path,
        lasting: Path | None = None,
        others: Sequence[Encoder] = (),
    ) -> None:
        """Nothing is indexed yet.

        Args:
            encoder: encodes queries and documents.
            index: keeps what it makes of documents.
            folder: where the index may be written.
            lasting: a folder that outlives the process and is the same for the same encoder (weights, options, mode,
                versions, threads), where an indexing that was stopped goes on; None: it starts again.
            others: the same encoder on other devices, which encode at the same time.
        """
        self._encoder, self._kind, self._folder, self._lasting = encoder, index, folder, lasting
        self._others = tuple(others)
        self._index: Index | None = None
        self.blocks_of_others = 0
        """Blocks of the index that other processes encoded while it was made."""

    @property
    def parameters(self) -> int:
        """How many numbers the model has learnt."""
        return self._encoder.parameters

    def index(self, corpus: Corpus) -> None:
        """Encode every document, but for those that another process encodes meanwhile: see `assist`."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        made: list[range] = []

        def make(rows: range) -> Any:
            made.append(rows)
            return _encode(self._encoder, corpus, rows)

        if self._lasting is None and not self._others:
            self._index = self._kind.build(folder, corpus, map(make, _blocks(corpus)))
            return
        kept = _kept(self._lasting or Path(tempfile.mkdtemp(dir=self._folder)), corpus)
        kept.mkdir(parents=True, exist_ok=True)
        before = len(list(kept.glob("*.npz")))
        with self._other_devices(corpus, kept) as others:
            self._index = self._kind.build(folder, corpus, resumed(kept, _blocks(corpus), make))
        self.blocks_of_others = len(_blocks(corpus)) - before - len(made) - sum(each.result() for each in others)
        forget(kept)

    @contextmanager
    def _other_devices(self, corpus: Corpus, kept: Path) -> Generator[list[Future[int]], None, None]:
        """While the other devices make blocks, each in a thread; how many each made is known afterwards."""
        over = threading.Event()

        def make(encoder: Encoder, rows: range) -> Any:
            if over.is_set():
                raise CancelledError  # this device's own part has failed
            return _encode(encoder, corpus, rows)

        with ThreadPoolExecutor(max(1, len(self._others))) as threads:
            try:
                yield [
                    threads.submit(copy_context().run, assist, kept, _blocks(corpus), partial(make, other))
                    for other in self._others
                ]
            except BaseException:
                over.set()
                raise

    def assist(self, corpus: Corpus) -> int:
        """Encode for another process that is indexing this corpus with the same model right now; how many blocks."""
        if self._lasting is None:
            return 0
        return assist(_kept(self._lasting, corpus), _blocks(corpus), partial(_encode, self._encoder, corpus))

    def search(self, queries: Sequence[Query], k: int) -> Run:
        """The best documents of the whole corpus, exactly."""
        rows, scores = self._indexed().search(self._encoder([query.text for query in queries], "query"), k)
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)

    def save(self, folder: Path) -> None:
        """Write the index."""
        self._indexed().save(folder)

    def load(self, folder: Path, corpus: Corpus) -> None:
        """Open an index that the same model made of the same corpus.

        Raises:
            DataError: it is damaged, or of another corpus.
        """
        self._index = self._kind.load(folder, corpus)

    def _indexed(self) -> Index:
        if self._index is None:
            raise ContractError("expected index or load before search and save, got neither")
        return self._index


def on_devices(make: Callable[[Context], Encoder], index: type[Index], context: Context) -> EmbeddingRetriever:
    """A retriever whose encoder is made once for each device that it may use.

    Args:
        make: loads the encoder onto `context.device`.
        index: keeps what it makes of documents.
        context: of the plugin.
    """
    encoders = [make(replace(context, device=device)) for device in context.all_devices]
    return EmbeddingRetriever(encoders[0], index, context.folder, context.lasting, encoders[1:])


def _encode(encoder: Encoder, corpus: Corpus, rows: range) -> Any:
    return encoder(corpus.contents(rows), "document")


def _blocks(corpus: Corpus) -> list[range]:
    return [range(start, min(start + BLOCK, len(corpus))) for start in range(0, len(corpus), BLOCK)]


def _kept(lasting: Path, corpus: Corpus) -> Path:
    """Where blocks of this corpus are until the index is whole."""
    return lasting / f"blocks-{corpus.fingerprint[:32]}"
