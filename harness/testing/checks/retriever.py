"""What a retriever must keep to; the student that a distiller makes is held to the same."""

from collections.abc import Sequence

import numpy as np

from harness.contracts import Retriever
from harness.errors import ContractError, ScoreError
from harness.records import Query, Run
from harness.scoring.strict import check_run
from harness.testing.compare import difference
from harness.testing.subject import DEPTH, Subject
from harness.testing.tiny import odd_queries

BATCH_TOLERANCE = 1e-4
"""By how much a score may depend on what stands beside it in a batch: padding changes the order of additions."""

INDEX_TOLERANCE = 1e-5
"""By how much a score may change when an index is written and read again."""


def builds(subject: Subject) -> None:
    """It can be built, and has index, search, save and load."""
    if not isinstance(subject.living, Retriever):
        lacking = [name for name in ("index", "search", "save", "load") if not hasattr(subject.living, name)]
        raise ContractError(f"expected a retriever, got {type(subject.living).__name__} without {', '.join(lacking)}")


def run_is_valid(subject: Subject) -> None:
    """A run has the queries asked, in order, known documents, each once, finite scores, descending, at most k."""
    _check(subject, subject.run, subject.queries, DEPTH)


def one_result(subject: Subject) -> None:
    """With k = 1 a run is valid too."""
    _check(subject, subject.ready.search(subject.queries, 1), subject.queries, 1)


def deeper_than_corpus(subject: Subject) -> None:
    """With k larger than the corpus a run is valid too."""
    k = len(subject.corpus) + 5
    _check(subject, subject.ready.search(subject.queries, k), subject.queries, k)


def no_query(subject: Subject) -> None:
    """No query gives a run without queries."""
    _check(subject, subject.ready.search([], DEPTH), [], DEPTH)


def odd_queries_are_answered(subject: Subject) -> None:
    """Queries of signs, blanks, unknown words, other scripts or great length give a valid run."""
    queries = odd_queries()
    _check(subject, subject.ready.search(queries, DEPTH), queries, DEPTH)


def one_query_alone(subject: Subject) -> None:
    """A query asked alone is answered as it is among others."""
    for place, query in enumerate(subject.queries[:3]):
        alone = subject.ready.search([query], DEPTH)
        _same(alone, subject.run.select([place]), BATCH_TOLERANCE, "asked alone and among others")


def order_of_queries(subject: Subject) -> None:
    """Queries asked in another order are answered the same."""
    backwards = subject.ready.search(subject.queries[::-1], DEPTH)
    _same(subject.run, backwards, BATCH_TOLERANCE, "asked in another order")


def same_seed_same_run(subject: Subject) -> None:
    """Built anew under the same seed, it gives the same run."""
    again = subject.indexed().search(subject.queries, DEPTH)
    _same(subject.run, again, 0, "built twice under one seed")


def saved_and_loaded(subject: Subject) -> None:
    """An index saved and loaded by a new instance gives the same run."""
    folder = subject.new_folder()
    subject.ready.save(folder)
    fresh = subject.retriever()
    fresh.load(folder, subject.corpus)
    _same(subject.run, fresh.search(subject.queries, DEPTH), INDEX_TOLERANCE, "before saving and after loading")


def finds_relevant(subject: Subject) -> None:
    """It ranks relevant documents better than chance does."""
    qrels, found = subject.tiny.qrels("test"), subject.run
    ranks = [np.flatnonzero(np.isin(found.rows[place], qrels.of(place)[0])) for place in range(len(qrels))]
    mean = float(np.mean([1 / (1 + rank[0]) if len(rank) else 0 for rank in ranks]))
    chance = _chance(len(qrels.rows) / len(qrels), len(subject.corpus))
    if not mean > 3 * chance:
        raise ContractError(
            f"expected RR@{DEPTH} far above a random ranking's {chance:.3f} on easy queries, got {mean:.3f}"
        )


def _chance(relevant: float, documents: int) -> float:
    """RR@10 of a random ranking, or a little more: any of the relevant documents at rank r counts 1 / r."""
    return sum(1 / rank for rank in range(1, DEPTH + 1)) * relevant / documents


def _check(subject: Subject, run: Run, queries: Sequence[Query], k: int) -> None:
    if not isinstance(run, Run):  # pyright: ignore[reportUnnecessaryIsInstance] - foreign code may return anything
        raise ContractError(f"expected search to return a Run, got {type(run).__name__}")
    try:
        check_run(run, [query.id for query in queries], len(subject.corpus), k)
    except ScoreError as error:
        raise ContractError(f"searching {len(queries)} queries with k = {k}: {error}") from error


def _same(first: Run, second: Run, tolerance: float, when: str) -> None:
    if words := difference(first, second, tolerance):
        raise ContractError(f"expected the same run {when}, got {words}")


CHECKS = (
    builds,
    run_is_valid,
    one_result,
    deeper_than_corpus,
    no_query,
    odd_queries_are_answered,
    one_query_alone,
    order_of_queries,
    same_seed_same_run,
    saved_and_loaded,
    finds_relevant,
)
