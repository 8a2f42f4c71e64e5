"""`mteb:<Task>`: any text retrieval or reranking task of MTEB, as a source of data; the harness scores it itself.

The full form is `mteb:<Task>/<subset>@<split>`: a subset where there are several, a split where each has a corpus of
its own. The hub, its cache and offline mode (HF_HUB_OFFLINE) are those of mteb and datasets. What was read is kept, so
that mteb, which takes seconds to import, is not needed again.

Source: Muennighoff et al., "MTEB: Massive Text Embedding Benchmark", EACL 2023.
"""

import os
import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import asdict
from functools import cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from harness.contracts import Context, Task, TaskFacts
from harness.data.corpus import ArrowCorpus
from harness.data.kept import kept_json
from harness.data.split import Split
from harness.data.task import SourceTask
from harness.errors import MissingExtra, TaskNotFound
from harness.records import Document, Query, Turn
from harness_tasks import MtebConfig
from harness_tasks.code_digest import code_digest
from harness_tasks.mteb_facts import choose_subset, facts_of

NAME = re.compile(r"(?P<task>[^/@]+)(/(?P<subset>[^@]+))?(@(?P<split>.+))?")
"""Task, subset and split in a name."""


def build(config: MtebConfig, context: Context) -> Task:
    """The task of this name in the installed mteb.

    Raises:
        TaskNotFound: no such task or subset, or one that is no text retrieval.
        MissingExtra: mteb is not installed.
    """
    return SourceTask(_KnownTask(config.task, context.folder), context.folder)


def mteb_task(task: Any, folder: Path, subset: str = "", split: str = "") -> Task:
    """A task of a living mteb task (`AbsTaskRetrieval`), such as one of your own.

    Args:
        task: the task.
        folder: where its corpus is kept.
        subset: one of its subsets; may be left out if it has one only, or one named `default`.
        split: the only split to offer; needed where each split has a corpus of its own.

    Raises:
        TaskNotFound: no such subset or split, or no text retrieval.
    """
    return SourceTask(_MtebSource(task, subset, split), folder)


class _MtebSource:
    """A `harness.data.task.Source` over a living mteb task."""

    identity = ""
    """A task of one's own may change under its name; of mteb's own tasks, `_KnownTask` knows the identity."""

    def __init__(self, task: Any, subset: str, split: str) -> None:
        self._task = copy(task)  # what is loaded and left out below must not change the caller's
        self._subset = choose_subset(task, subset)
        self.facts = facts_of(task, self._subset, split)

    @cached_property
    def _data(self) -> Mapping[str, Any]:
        """The records of mteb by split; loads only what is asked for."""
        metadata = self._task.metadata
        self._task.hf_subsets = [self._subset]
        self._task.filter_eval_splits(list(self.facts.splits))
        try:
            self._task.load_data()
        except OSError as error:
            online = "HF_HUB_OFFLINE=0 HF_DATASETS_OFFLINE=0 " if os.environ.get("HF_HUB_OFFLINE") else ""
            raise TaskNotFound(
                f"{self.facts.name}: expected {metadata.dataset['path']} at revision {metadata.dataset['revision']} in "
                f"the Hugging Face cache, got {type(error).__name__}: {' '.join(str(error).split())[:200]}; run "
                f"`{online}harness tasks show {self.facts.name}` where there is a network"
            ) from error
        self._task.convert_v1_dataset_format_to_v2(num_proc=None)
        return self._task.dataset[self._subset]

    def documents(self) -> Iterator[Document]:
        """The documents of the main split, in mteb's order.

        Raises:
            TaskNotFound: if they are not here and can't be downloaded.
        """
        for row in self._data[self.facts.split]["corpus"]:
            yield Document(id=str(row["id"]), title=row.get("title") or "", text=row["text"] or "")

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        """Queries, judgements and candidates of a split; judgements of queries that are not there are left out.

        Raises:
            TaskNotFound: if the split has another corpus than the main one.
        """
        data = self._data[name]
        if name != self.facts.split and [str(doc_id) for doc_id in data["corpus"]["id"]] != list(corpus.ids):
            raise TaskNotFound(
                f"{self.facts.name}: expected split {name} to have the corpus of {self.facts.split}, got another; "
                f"ask for mteb:{self._task.metadata.name}/{self._subset}@{name}"
            )
        queries = [_query(row) for row in data["queries"]]
        judged = data["relevant_docs"]
        return Split(
            queries=queries,
            judged={query.id: _grades(judged[query.id]) for query in queries if query.id in judged},
            candidates=_candidates(data["top_ranked"]),
        )


class _KnownTask:
    """A task of the installed mteb by name, of which mteb is asked once only."""

    def __init__(self, name: str, folder: Path) -> None:
        try:
            library = version("mteb")
        except PackageNotFoundError as error:
            raise MissingExtra(f"mteb:{name} needs mteb: pip install 'harness-tasks[mteb]'") from error
        self._name = name
        self.identity = f"mteb {name} {library} {code_digest('from_mteb', 'mteb_facts')}"
        path = folder / "tasks" / f"mteb-{sha256(self.identity.encode()).hexdigest()[:32]}.json"
        self.facts = _as_facts(kept_json(path, lambda: asdict(self._source.facts)))

    @cached_property
    def _source(self) -> _MtebSource:
        import mteb

        asked = NAME.fullmatch(self._name)
        try:
            task = mteb.get_task(asked["task"] if asked else self._name)
        except KeyError as error:
            raise TaskNotFound(
                f"mteb:{self._name}: expected a task of mteb; {error.args[0].removeprefix('KeyError: ')}"
            ) from error
        assert asked, "mteb has no task without a name"
        return _MtebSource(task, asked["subset"] or "", asked["split"] or "")

    def documents(self) -> Iterator[Document]:
        """See `_MtebSource`."""
        return self._source.documents()

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        """See `_MtebSource`."""
        return self._source.split(name, corpus)


def _as_facts(kept: dict[str, Any]) -> TaskFacts:
    for name in ("splits", "measures", "languages"):
        kept[name] = tuple(kept[name])
    return TaskFacts(**kept)


def _query(row: Mapping[str, Any]) -> Query:
    """A query; of a conversation, the last turn with the turns before it as history."""
    said = row["text"] if isinstance(row["text"], list) else [row["text"]]
    turns = [_turn(one) for one in cast(list[Any], said)]
    return Query(
        id=str(row["id"]),
        text=turns[-1].text,
        history=tuple(turns[:-1]),
        instruction=row.get("instruction") or None,
    )


def _turn(said: Any) -> Turn:
    """A turn; texts without a role are the user's, as in mteb."""
    if isinstance(said, str):
        return Turn(role="user", text=said)
    return Turn(role=said["role"], text=said["content"])


def _grades(judged: Mapping[str, Any]) -> dict[str, int]:
    return {str(doc_id): int(grade) for doc_id, grade in judged.items()}


def _candidates(ranked: Mapping[str, Any] | None) -> dict[str, list[str]] | None:
    """What a reranking task ranks for each query, without repetitions; mteb gives None or nothing otherwise."""
    if not ranked:
        return None
    return {str(query_id): list(dict.fromkeys(map(str, ids))) for query_id, ids in ranked.items()}
