"""Every measure that we do not compute over arrays: by name from ir_measures, query by query."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from harness.errors import ConfigError
from harness.records import Qrels, Run
from harness.scoring.formulae import FORMULAE


def parse(name: str, added: Sequence[str] = ()) -> Any:
    """The ir_measures measure of this name.

    Args:
        name: as ir_measures writes it, for example `nDCG(dcg='exp-log2')@10`.
        added: other names that would have been known, for the hint.

    Raises:
        ConfigError: there is no such measure, an option is wrong, or the package that computes it is not installed.
    """
    import ir_measures

    try:
        measure = ir_measures.parse_measure(name)
        measure.validate_params()
    except NameError:
        raise ConfigError(f"no measure named {name!r}; {_hint(name, added)}") from None
    except (ValueError, AssertionError) as error:
        reason = (
            "a cut-off is missing or an option is wrong" if isinstance(error, AssertionError) else "it can't be read"
        )
        raise ConfigError(f"measure {name!r}: {reason}; write it as in nDCG@10 or nDCG(dcg='exp-log2')@10") from error
    cutoff = measure.params.get("cutoff", 1)
    if isinstance(cutoff, bool) or cutoff < 1:
        raise ConfigError(f"measure {name!r}: expected a cut-off of at least 1, got {cutoff}")
    if not ir_measures.DefaultPipeline.supports(measure):
        raise ConfigError(
            f"measure {name!r}: nothing installed computes it with these options; it may need one of the extras of "
            "ir-measures (cwl_eval, pyndeval), Perl (ERR, exp-log2), or rel=1"
        )
    return measure


def _hint(name: str, added: Sequence[str]) -> str:
    """The nearest names, whatever their case, with the cut-off that was given."""
    from ir_measures.measures import registry

    base, at, cutoff = name.partition("@")
    known = {other.lower(): other for other in (*registry, *added, *FORMULAE) if other.isascii()}
    near = difflib.get_close_matches(base.lower(), known, n=3, cutoff=0.6)
    found = [known[other] + (at + cutoff if re.fullmatch(r"\w+", known[other]) else "") for other in near]
    return f"did you mean {', '.join(found)}?" if found else "see ir-measur.es for the names"


def values(run: Run, qrels: Qrels, measures: Mapping[str, Any]) -> dict[str, Float64[np.ndarray, " queries"]]:
    """Value of each measure for each query, 0 for queries without results.

    Ids are replaced by positions and scores by descending numbers, so that no provider breaks ties in its own way.

    Args:
        run: an ordered run.
        qrels: the judgements.
        measures: what `parse` gave, by name.
    """
    if not measures:
        return {}
    import ir_measures

    found = {name: np.zeros(len(qrels)) for name in measures}
    names = {measure: [name for name in measures if measures[name] == measure] for measure in measures.values()}
    for metric in ir_measures.iter_calc(list(names), _judged(qrels), _ranked(run)):
        for name in names[metric.measure]:
            found[name][int(metric.query_id)] = metric.value
    return found


def _judged(qrels: Qrels) -> dict[str, dict[str, int]]:
    """Grades by query position; negative ones become 0, since pytrec_eval writes outside its memory for them."""
    pairs = (qrels.of(query) for query in range(len(qrels)))
    return {
        str(query): dict(zip(map(str, rows.tolist()), np.maximum(grades, 0).tolist(), strict=True))
        for query, (rows, grades) in enumerate(pairs)
    }


def _ranked(run: Run) -> dict[str, dict[str, float]]:
    """Rankings by query position; empty ones are left out, as the providers expect."""
    lengths = (run.rows >= 0).sum(axis=1)
    return {
        str(query): {str(row): float(length - place) for place, row in enumerate(run.rows[query, :length].tolist())}
        for query, length in enumerate(lengths.tolist())
        if length
    }
