"""What an mteb task says of itself → what a task of the harness says of itself."""

import re
from typing import Any

from harness.contracts import TaskFacts
from harness.data.beir import main_split
from harness.errors import TaskNotFound

SCORE = re.compile(r"(ndcg|map|mrr|recall|precision|hit_rate)_at_(\d+)")
MEASURES = {"ndcg": "nDCG", "map": "AP", "mrr": "RR", "recall": "R", "precision": "P", "hit_rate": "Success"}
"""Measures of mteb as ir_measures names them."""


def choose_subset(task: Any, subset: str) -> str:
    """The subset that is meant; if none is named, `default` or the only one.

    Raises:
        TaskNotFound: no text retrieval, a mean over tasks, no such subset.
    """
    from mteb.abstasks import AbsTaskRetrieval

    name = task.metadata.name
    if members := getattr(task.metadata, "tasks", None):
        names = ", ".join(f"mteb:{member.metadata.name}" for member in members)
        raise TaskNotFound(f"mteb:{name} is a mean over tasks; expected one of them: {names}")
    if not isinstance(task, AbsTaskRetrieval) or list(task.metadata.modalities) != ["text"]:
        got = f"{task.metadata.type} over {', '.join(task.metadata.modalities)}"
        raise TaskNotFound(f"mteb:{name}: expected text retrieval or reranking, got {got}; ask for another task")
    known = list(task.hf_subsets)
    default = "default" if "default" in known else known[0] if len(known) == 1 else ""
    if (chosen := subset or default) not in known:
        got = f"{subset!r}" if subset else "none"
        raise TaskNotFound(f"mteb:{name}: expected one of its subsets, got {got}: mteb:{name}/{'|'.join(known)}")
    return chosen


def facts_of(task: Any, subset: str, split: str) -> TaskFacts:
    """What the task's metadata says; with a split named, only that one is offered.

    Raises:
        TaskNotFound: no such split.
    """
    metadata = task.metadata
    splits = tuple(task.eval_splits)
    if split and split not in splits:
        raise TaskNotFound(f"mteb:{metadata.name}: expected one of its splits {', '.join(splits)}, got {split!r}")
    measure = _measure(metadata.main_score)
    note = "" if measure else f" (mteb's own main score, {metadata.main_score}, is not computed here.)"
    measures = (measure, *TaskFacts.measures) if measure else TaskFacts.measures
    name = metadata.name + ("" if subset == "default" else f"/{subset}") + (f"@{split}" if split else "")
    return TaskFacts(
        name=f"mteb:{name}",
        summary=metadata.description + note,
        splits=(split,) if split else splits,
        split=split or main_split(splits),
        measures=tuple(dict.fromkeys(measures)),
        languages=tuple(metadata.hf_subsets_to_langscripts.get(subset, ())),
        licence="not stated" if metadata.license in (None, "not specified") else metadata.license,
        source=f"https://huggingface.co/datasets/{metadata.dataset['path']}",
        revision=metadata.dataset["revision"] or "",
        citation=(metadata.bibtex_citation or "").strip(),
        exclude_self=bool(task.ignore_identical_ids),
    )


def _measure(score: str) -> str:
    """The name of a score in mteb as ir_measures writes it; empty if it is none of its measures."""
    found = SCORE.fullmatch(score)
    return f"{MEASURES[found[1]]}@{found[2]}" if found else ""
