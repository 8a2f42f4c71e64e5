"""The common measures over arrays, defined as trec_eval defines them; one value a query.

A grade above 0 is relevant; other grades and unjudged documents gain nothing. `k` None means the whole ranking.
"""

import re
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from harness.scoring.found import Found

PerQuery = Float64[np.ndarray, " queries"]


def ndcg(found: Found, k: int | None) -> PerQuery:
    """Discounted gain, grade / log2(rank + 1), over that of the ideal ranking cut at the same depth.

    Source: Järvelin and Kekäläinen, TOIS 2002, in trec_eval's form (linear gain).
    """
    return _share(_discounted(found.relevant, k), _discounted(found.ideal, k))


def _discounted(found: Found, k: int | None) -> PerQuery:
    return found.total(found.grade / np.log2(found.place + 2), k)


def reciprocal_rank(found: Found, k: int | None) -> PerQuery:
    """One over the rank of the first relevant document."""
    first = found.relevant.nth == 1
    return found.relevant.total(first / (found.relevant.place + 1), k)


def average_precision(found: Found, k: int | None) -> PerQuery:
    """Sum of the precision at each relevant document retrieved, over the number of all relevant documents."""
    precisions = found.relevant.nth / (found.relevant.place + 1)
    return _share(found.relevant.total(precisions, k), found.ideal.total())


def precision(found: Found, k: int | None) -> PerQuery:
    """Relevant documents among the first `k`, over `k`, however short the ranking is."""
    assert k is not None
    return found.relevant.total(k=k) / k


def recall(found: Found, k: int | None) -> PerQuery:
    """Relevant documents among the first `k`, over all relevant documents."""
    return _share(found.relevant.total(k=k), found.ideal.total())


def success(found: Found, k: int | None) -> PerQuery:
    """1 if a relevant document is among the first `k`, else 0."""
    return np.minimum(found.relevant.total(k=k), 1.0)


def judged(found: Found, k: int | None) -> PerQuery:
    """Judged documents among the first `k`, over the number of documents there, as ir_measures counts them."""
    depth = found.retrieved if k is None else np.minimum(found.retrieved, k)
    return _share(found.total(k=k), depth.astype(np.float64))


def _share(part: PerQuery, whole: PerQuery) -> PerQuery:
    """`part / whole`, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


FORMULAE: dict[str, Callable[[Found, int | None], PerQuery]] = {
    "nDCG": ndcg,
    "RR": reciprocal_rank,
    "AP": average_precision,
    "P": precision,
    "R": recall,
    "Success": success,
    "Judged": judged,
}
NEED_CUTOFF = {"P", "R", "Success"}


def parse(name: str) -> tuple[str, int | None] | None:
    """Formula and cut-off of a name such as `nDCG@10` or `AP`; None if the name is none of ours."""
    match = re.fullmatch(r"(\w+?)(?:@([1-9]\d*))?", name)
    if not match or match[1] not in FORMULAE or (match[2] is None and match[1] in NEED_CUTOFF):
        return None
    return match[1], int(match[2]) if match[2] else None
