"""How long the evaluations of a plan will take, from what the same method took before."""

from collections.abc import Mapping, Sequence

from harness.config import digest
from harness.runner.plan import Work
from harness.store import Store
from harness.store.records import Evaluation


def estimates(store: Store, works: Sequence[Work], documents: Mapping[str, int]) -> dict[str, float | None]:
    """Seconds by evaluation id; None where the method with this configuration never ran.

    Time is taken to grow with the number of documents, which holds for encoding and is too much for searching.

    Args:
        store: where earlier evaluations are.
        works: the plan.
        documents: corpus size by task name.
    """
    past: dict[tuple[str, str], list[Evaluation]] = {}
    for evaluation in store.evaluations(state="done", per_query=False):
        past.setdefault((evaluation.method.name, evaluation.config_digest), []).append(evaluation)
    return {work.id: _estimate(past, work, documents[work.task]) for work in works}


def _estimate(past: Mapping[tuple[str, str], list[Evaluation]], work: Work, documents: int) -> float | None:
    seen = past.get((work.method.use.name, digest(work.config)), [])
    rates = [_seconds(evaluation) / evaluation.task.facts["documents"] for evaluation in seen]
    return sum(rates) / len(rates) * documents if rates else None


def _seconds(evaluation: Evaluation) -> float:
    return (evaluation.finished - evaluation.started).total_seconds()
