"""BM25 from texts to rankings, beside bm25s, tantivy and Lucene: splitting, indexing and 1,000 queries, in memory.

The passages are all English ones of the test collections, the queries a sample of those collections' own. Ours reads
texts from its corpus (an Arrow file, made before), the others have them as Python lists. bm25s is asked for the same
terms, k1, b and variant, so its scores must be ours; tantivy and Lucene have analysers and defaults of their own, and
aren't asked for the ids of what they find.
"""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import real
from benchmarks.lucene import Lucene
from benchmarks.measure import Row, in_turn, main, threads
from harness.contracts import Context
from harness.data.corpus import ArrowCorpus, build_corpus
from harness.records import Document, Query

COLLECTIONS = (
    "cacm", "climate-fever-sent", "cosqa", "cranfield", "medquad", "mlquestions", "mtrag-un", "nfcorpus", "nl2bash",
    "noveleval", "nq-mini", "pubmedqa", "scifact", "trecdl19-mini", "vaswani",
)  # fmt: skip
QUERIES = 1000
K = 100
CLOSE = 1e-5
"""How far two fp32 scores of the same document may lie apart."""

Found = tuple[np.ndarray, np.ndarray]
"""Rows and scores, queries × K."""


class Texts(NamedTuple):
    """What is indexed and asked."""

    corpus: ArrowCorpus
    passages: list[str]
    queries: list[str]


def rows(runs: int) -> Iterator[Row]:
    """A row a peer; Lucene's where it has been installed."""
    with tempfile.TemporaryDirectory() as name:
        texts = _texts(Path(name))
        mine = ours(texts, Path(name))
        work = f"BM25: index {len(texts.corpus):,} passages, {len(texts.queries):,} queries, top {K}"
        found = mine()
        for peer, backend in (("bm25s", "numpy"), ("bm25s with numba, compiled before", "numba")):
            theirs = bm25s(texts, backend)
            seen = {"same top 10 up to ties": _same(found, theirs())}
            yield Row(work=work, peer_name=peer, runs=in_turn(mine, theirs, runs), goal=1, found=seen)
        theirs = tantivy(texts)
        yield Row(work=work, peer_name="tantivy", runs=in_turn(mine, theirs, runs), goal=1)
        with _lucene(texts) as lucene:
            yield Row(work=work, peer_name="Lucene (pyserini)", runs=in_turn(mine, lucene.work, runs), goal=1)


def _texts(folder: Path) -> Texts:
    tasks = {name: real.task(name) for name in COLLECTIONS}
    documents = (
        Document(id=f"{name}:{row}", text=text)
        for name, task in tasks.items()
        for row, text in enumerate(task.corpus().contents())
    )
    corpus = build_corpus(documents, folder / "corpus")
    asked = [query.text for task in tasks.values() for query in task.queries(task.facts.split)]
    return Texts(corpus, list(corpus.contents()), random.Random(0).sample(asked, QUERIES))


def ours(texts: Texts, folder: Path) -> Callable[[], Found]:
    """The plugin with its defaults."""
    from harness_bm25 import Config
    from harness_bm25.method import BM25

    queries = [Query(id=str(number), text=text) for number, text in enumerate(texts.queries)]

    def work() -> Found:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            retriever = BM25(Config(), Context(folder=Path(name), build=lambda use: None))
            retriever.index(texts.corpus)
            run = retriever.search(queries, K)
        return run.rows, run.scores

    return work


def bm25s(texts: Texts, backend: str) -> Callable[[], Found]:
    """As its readme has it, with our terms (one letter is a word too), k1, b and variant."""
    import bm25s
    import Stemmer

    def tokens(of: list[str], stemmer: Any) -> Any:
        return bm25s.tokenize(of, token_pattern=r"\w+", stopwords="en", stemmer=stemmer, show_progress=False)

    def work() -> Found:
        stemmer = Stemmer.Stemmer("english")
        retriever = bm25s.BM25(k1=0.9, b=0.4, method="lucene", backend=backend)
        retriever.index(tokens(texts.passages, stemmer), show_progress=False)
        found = retriever.retrieve(tokens(texts.queries, stemmer), k=K, show_progress=False)
        return found.documents, found.scores

    return work


def tantivy(texts: Texts) -> Callable[[], list[Any]]:
    """In memory, with its English analyser and no positions, which BM25 doesn't need."""
    import tantivy

    schema = tantivy.SchemaBuilder().add_text_field("body", tokenizer_name="en_stem", index_option="freq").build()

    def work() -> list[Any]:
        index = tantivy.Index(schema)
        writer = index.writer(heap_size=256 << 20, num_threads=threads())
        for text in texts.passages:
            writer.add_document(tantivy.Document(body=text))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        searcher = index.searcher()
        asked = (index.parse_query_lenient(text, ["body"])[0] for text in texts.queries)
        return [searcher.search(query, K).hits for query in asked]

    return work


def _lucene(texts: Texts) -> Lucene:
    return Lucene(texts.passages, texts.queries, K, threads())


def _same(ours: Found, theirs: Found) -> str:
    """Whether all scores agree, and so do the documents that score more than the tenth.

    Raises:
        AssertionError: they don't.
    """
    rows, scores = ours
    documents, values = theirs
    padded = np.where(rows < 0, 0, scores)  # bm25s fills up with documents that score 0
    np.testing.assert_allclose(values, padded, atol=CLOSE, rtol=CLOSE)
    for mine, line, other, value in zip(rows, padded, documents, values, strict=True):
        assert set(mine[:10][line[:10] > line[9] + CLOSE]) <= set(other[:10]), "another top 10"
        assert set(other[:10][value[:10] > line[9] + CLOSE]) <= set(mine[:10]), "another top 10"
    return "yes"


if __name__ == "__main__":
    main(rows)
