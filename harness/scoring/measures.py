"""Run and qrels → a value for each measure and query."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int32

from harness.contracts import Corpus
from harness.errors import ConfigError, ScoreError
from harness.records import Qrels, Run
from harness.scoring import foreign
from harness.scoring.formulae import FORMULAE, parse
from harness.scoring.found import look_up
from harness.scoring.order import ordered
from harness.scoring.strict import check_run, parts

PerQuery = Float64[np.ndarray, " queries"]
Measure = Callable[[Run, Qrels, Corpus], Any]
"""A measure that a plugin adds: one value a query."""


def score(
    run: Run,
    qrels: Qrels,
    corpus: Corpus | Int32[np.ndarray, " docs"],
    measures: Sequence[str],
    extra: Mapping[str, Measure] | None = None,
) -> dict[str, PerQuery]:
    """Value of each measure for each query, in the order of `qrels.query_ids`; a query without results scores 0.

    nDCG, RR, AP and Judged (with or without @k), P@k, R@k and Success@k are computed over arrays and equal trec_eval's
    values; any other name goes to ir_measures. The run is checked and put under the tie rule first.

    Args:
        run: a ranking for each query of the qrels, in their order.
        qrels: the judgements.
        corpus: the documents, or their `id_rank` alone, which is enough unless a measure of `extra` is asked for.
        measures: names as ir_measures writes them, or of `extra`.
        extra: measures by name that plugins add.

    Raises:
        ScoreError: the run is not what `check_run` accepts, or a measure gave no finite value for each query.
        ConfigError: no measure has this name.
    """
    extra = extra or {}
    ours = {name: plan for name in measures if (plan := parse(name))}
    added = {name: extra[name] for name in measures if name in extra}
    if both := ours.keys() & added.keys():
        raise ConfigError(f"a plugin adds a measure named {min(both)!r}, which is built in; rename the plugin's")
    others = {name: foreign.parse(name, tuple(extra)) for name in measures if name not in ours and name not in added}
    id_rank = corpus if isinstance(corpus, np.ndarray) else corpus.id_rank
    check_run(run, qrels.query_ids, len(id_rank))
    found = look_up((ordered(part, id_rank) for part in parts(run)), qrels, len(id_rank))
    values = {name: FORMULAE[formula](found, k) for name, (formula, k) in ours.items()}
    if others or added:
        run = ordered(run, id_rank)
        values |= foreign.values(run, qrels, others)
        values |= _added(added, run, qrels, corpus) if added else {}
    for name, array in values.items():
        _check(name, array, qrels)
    return {name: values[name] for name in measures}


def _added(
    measures: Mapping[str, Measure], run: Run, qrels: Qrels, corpus: Corpus | Int32[np.ndarray, " docs"]
) -> dict[str, PerQuery]:
    """The values of the plugins' measures."""
    if isinstance(corpus, np.ndarray):
        raise ScoreError(f"measure {next(iter(measures))!r} of a plugin needs the corpus, got its id ranks alone")
    return {name: np.asarray(measure(run, qrels, corpus), np.float64) for name, measure in measures.items()}


def _check(name: str, values: PerQuery, qrels: Qrels) -> None:
    if values.shape != (len(qrels),):
        raise ScoreError(f"measure {name!r}: expected one value for each of {len(qrels)} queries, got {values.shape}")
    if not (finite := np.isfinite(values)).all():
        query = int(finite.argmin())
        raise ScoreError(f"measure {name!r} is {values[query]} for query {qrels.query_ids[query]!r}; expected a number")
