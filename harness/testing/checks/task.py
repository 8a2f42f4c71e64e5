"""What a task must keep to: complete facts, judgements that fit corpus and queries, the same content each time."""

import dataclasses

import numpy as np

from harness.contracts import Corpus, Task
from harness.errors import ContractError
from harness.scoring import foreign
from harness.testing.subject import Subject


def builds(subject: Subject) -> None:
    """It can be built, and has facts, corpus, queries, qrels, examples and fingerprint."""
    if not isinstance(subject.living, Task):
        wanted = ("facts", "corpus", "queries", "qrels", "examples", "fingerprint")
        lacking = [name for name in wanted if not hasattr(subject.living, name)]
        raise ContractError(f"expected a task, got {type(subject.living).__name__} without {', '.join(lacking)}")


def facts_are_complete(subject: Subject) -> None:
    """It has its card's name, says what it measures, the data's source and licence; its split and measures exist."""
    facts = subject.living.facts
    for name in ("name", "summary", "splits", "measures", "languages", "licence", "source"):
        if not getattr(facts, name):
            raise ContractError(f"expected the facts to state {name!r}, got {getattr(facts, name)!r}")
    options = dataclasses.fields(subject.card.config)
    family = any(option.default is dataclasses.MISSING for option in options)  # `beir:` takes a name after the colon
    if not family and facts.name != subject.card.name:
        raise ContractError(f"expected the task to be named as its card, {subject.card.name!r}, got {facts.name!r}")
    if facts.split not in facts.splits:
        raise ContractError(f"expected the evaluated split to be one of {facts.splits}, got {facts.split!r}")
    added = [name for names in subject.registry.manager.hook.harness_measures() for name in names]
    for measure in facts.measures:
        if measure not in added:
            foreign.parse(measure, added)


def corpus_is_consistent(subject: Subject) -> None:
    """Ids are unique and not empty, rows and ids lead to each other, id_rank sorts the ids."""
    corpus: Corpus = subject.living.corpus()
    ids = list(corpus.ids)
    if len(ids) != len(corpus) or len(set(ids)) != len(ids) or not all(ids):
        raise ContractError(
            f"expected {len(corpus)} unique ids that are not empty, got {len(set(ids))} among {len(ids)}"
        )
    rows = [0, len(ids) // 2, len(ids) - 1]
    wrong = [row for row in rows if corpus.row_of(ids[row]) != row or corpus[row].id != ids[row]]
    if wrong:
        raise ContractError(f"expected row {wrong[0]} to hold document {ids[wrong[0]]!r}, got {corpus[wrong[0]].id!r}")
    if list(corpus.contents(rows)) != [corpus[row].content for row in rows]:
        raise ContractError(f"expected contents({rows}) to be the documents' contents, got something else")
    if not np.array_equal(np.argsort(corpus.id_rank), sorted(range(len(ids)), key=ids.__getitem__)):
        raise ContractError("expected id_rank to be each id's place in ascending order, got another order")


def queries_fit_judgements(subject: Subject) -> None:
    """Each split has queries with a text, each once, in the order of its judgements."""
    for split in subject.living.facts.splits:
        queries, qrels = subject.living.queries(split), subject.living.qrels(split)
        ids = [query.id for query in queries]
        if ids != list(qrels.query_ids):
            first = next((pair for pair in zip(ids, qrels.query_ids, strict=False) if pair[0] != pair[1]), None)
            what = f"{first[0]!r} beside {first[1]!r}" if first else f"{len(ids)} beside {len(qrels)}"
            raise ContractError(f"split {split!r}: expected queries and judgements in one order, got {what}")
        if not ids or len(set(ids)) != len(ids):
            raise ContractError(f"split {split!r}: expected queries, each once, got {len(set(ids))} among {len(ids)}")
        if silent := [query.id for query in queries if not (query.text.strip() or query.terms or query.vector)]:
            raise ContractError(f"split {split!r}: expected every query to have a text, got none in {silent[0]!r}")


def judgements_fit_corpus(subject: Subject) -> None:
    """Judged rows are in the corpus, each once a query, and each query has a relevant document."""
    documents = len(subject.living.corpus())
    for split in subject.living.facts.splits:
        qrels = subject.living.qrels(split)
        for place, query_id in enumerate(qrels.query_ids):
            rows, grades = qrels.of(place)
            where = f"split {split!r}, query {query_id!r}"
            if not ((rows >= 0) & (rows < documents)).all():
                raise ContractError(f"{where}: expected rows from 0 to {documents - 1}, got {rows.tolist()}")
            if len(set(rows.tolist())) != len(rows):
                raise ContractError(f"{where}: expected each document to be judged once, got {rows.tolist()}")
            if not (grades > 0).any():
                raise ContractError(f"{where}: expected a grade above 0, got {grades.tolist()}")


def examples_fit_corpus(subject: Subject) -> None:
    """Training examples name rows of the corpus, have a positive each, and no document on both sides."""
    documents = len(subject.living.corpus())
    for example in subject.living.examples():
        rows = example.positives + example.negatives
        where = f"training query {example.query.id!r}"
        if not all(0 <= row < documents for row in rows):
            raise ContractError(f"{where}: expected rows from 0 to {documents - 1}, got {rows}")
        if not example.positives or set(example.positives) & set(example.negatives):
            raise ContractError(f"{where}: expected positives, and negatives other than these, got {example}")


def training_is_apart(subject: Subject) -> None:
    """No test query is trained on."""
    facts = subject.living.facts
    tested = {query.id for query in subject.living.queries(facts.split)}
    trained = {example.query.id for example in subject.living.examples()}
    if both := tested & trained:
        raise ContractError(f"expected training queries other than those of {facts.split!r}, got {min(both)!r} in both")


def content_is_stable(subject: Subject) -> None:
    """Opened again, in another folder, it has the same fingerprint, queries and corpus."""
    first, second = subject.living, subject.build()
    for split in first.facts.splits:
        if first.fingerprint(split) != second.fingerprint(split):
            raise ContractError(f"split {split!r}: expected one fingerprint each time it is opened, got two")
        if list(first.queries(split)) != list(second.queries(split)):
            raise ContractError(f"split {split!r}: expected the same queries each time it is opened, got others")
    if first.corpus().fingerprint != second.corpus().fingerprint:
        raise ContractError("expected the same corpus each time it is opened, got another fingerprint")


CHECKS = (
    builds,
    facts_are_complete,
    corpus_is_consistent,
    queries_fit_judgements,
    judgements_fit_corpus,
    examples_fit_corpus,
    training_is_apart,
    content_is_stable,
)
