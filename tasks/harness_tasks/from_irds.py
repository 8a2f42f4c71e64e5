"""`irds:<id>`: any data set of ir_datasets, with that library's own cache and downloads (IR_DATASETS_HOME).

Source: MacAvaney et al., "Simplified Data Wrangling with ir_datasets", SIGIR 2021.
"""

import difflib
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from harness.contracts import Context, Task, TaskFacts
from harness.data.beir import SPLITS, main_split
from harness.data.corpus import ArrowCorpus
from harness.data.split import Split
from harness.data.task import SourceTask
from harness.errors import DataError, MissingExtra, TaskNotFound
from harness.records import Document, Query
from harness_tasks import IrdsConfig

SELF = ("beir/arguana", "beir/quora")
"""Data sets whose queries are documents of the corpus under the same id."""


def build(config: IrdsConfig, context: Context) -> Task:
    """The task of this id; its splits are what is judged under it: itself, or `<id>/train`, `<id>/dev` … below it.

    Raises:
        TaskNotFound: no such id, or nothing judged under it.
        MissingExtra: ir_datasets is not installed.
    """
    return SourceTask(_IrdsSource(config.id), context.folder)


class _IrdsSource:
    """A `harness.data.task.Source` over a data set of ir_datasets."""

    def __init__(self, dataset_id: str) -> None:
        try:
            import ir_datasets
        except ImportError as error:
            raise MissingExtra(f"irds:{dataset_id} needs ir_datasets: pip install 'harness-tasks[irds]'") from error
        self._id, self._splits = dataset_id, _judged(ir_datasets.registry, dataset_id)
        split = main_split(tuple(self._splits))
        self._main = self._splits[split]
        about = _said(self._main, "documentation")
        self.facts = TaskFacts(
            name=f"irds:{dataset_id}",
            summary=_plain(about.get("desc", "")) or f"The data set {dataset_id} of ir_datasets.",
            splits=tuple(self._splits),
            split=split,
            languages=tuple(filter(None, (self._main.docs_lang(),))),
            source=f"ir_datasets {version('ir_datasets')}, https://ir-datasets.com/{dataset_id.partition('/')[0]}.html",
            citation=", ".join(about.get("bibtex_ids", ())),
            exclude_self=dataset_id.startswith(SELF),
        )

    @property
    def identity(self) -> str:
        """The id and the library's version, which pins checksums; unknown for what somebody registered beside it."""
        known = _said(self._main, "metadata").get("docs")
        return f"irds {self._id} {version('ir_datasets')}" if known else ""

    def documents(self) -> Iterator[Document]:
        """The documents in the library's order.

        Raises:
            TaskNotFound: if they are not here and can't be downloaded.
        """
        with _fetching(self._id):
            for document in self._main.docs_iter():
                yield _document(document)

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        """Queries and judgements of a split.

        Raises:
            TaskNotFound: if they are not here and can't be downloaded.
            DataError: two grades for one query and document.
        """
        dataset, judged = self._splits[name], dict[str, dict[str, int]]()
        with _fetching(self._id):
            queries = [Query(id=query.query_id, text=query.default_text()) for query in dataset.queries_iter()]
            for found in dataset.qrels_iter():
                grade = judged.setdefault(found.query_id, {}).setdefault(found.doc_id, int(found.relevance))
                if grade != found.relevance:
                    pair = f"query {found.query_id!r} and document {found.doc_id!r}"
                    raise DataError(f"irds:{self._id}: expected one whole grade, got {found.relevance} too for {pair}")
        return Split(queries=queries, judged=judged)


def _judged(registry: Any, dataset_id: str) -> dict[str, Any]:
    """The judged data sets of this id by split."""
    known = list(registry)
    own = _dataset(registry, dataset_id)
    if own is None:
        near = difflib.get_close_matches(dataset_id, known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "see https://ir-datasets.com"
        raise TaskNotFound(f"irds:{dataset_id}: expected an id of ir_datasets; {hint}")
    if _complete(own):
        last = dataset_id.rpartition("/")[2]
        return {last if last in SPLITS else "test": own}
    below = {split: _dataset(registry, f"{dataset_id}/{split}") for split in SPLITS}
    judged = {split: dataset for split, dataset in below.items() if dataset is not None and _complete(dataset)}
    if not judged:
        near = [other for other in known if other.startswith(f"{dataset_id}/") and _complete(registry[other])]
        hint = f"ask for irds:{' or irds:'.join(near[:3])}" if near else "ask for another id"
        raise TaskNotFound(f"irds:{dataset_id}: expected documents, queries and judgements, found not all; {hint}")
    return judged


def _dataset(registry: Any, dataset_id: str) -> Any:
    try:
        return registry[dataset_id]
    except KeyError:
        return None


def _said(dataset: Any, name: str) -> dict[str, Any]:
    """What the library's own data sets say of themselves; those registered beside them may say nothing."""
    return getattr(dataset, name, dict)() or {}


def _complete(dataset: Any) -> bool:
    return dataset.has_docs() and dataset.has_queries() and dataset.has_qrels()


def _document(document: Any) -> Document:
    """The library's own text of a document, its title apart where it begins with it."""
    text, title = document.default_text(), getattr(document, "title", None) or ""
    if title and text.startswith(title):
        return Document(id=document.doc_id, title=title, text=text[len(title) :].lstrip())
    return Document(id=document.doc_id, text=text)


def _plain(html: str) -> str:
    """The first paragraph of a description without its mark-up."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("</p>")[0]).split())


@contextmanager
def _fetching(dataset_id: str) -> Generator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TaskNotFound(
            f"irds:{dataset_id}: expected its data in ir_datasets' cache or the network, got {type(error).__name__}: "
            f"{reason}; run `harness tasks show irds:{dataset_id}` where there is a network, or see "
            f"https://ir-datasets.com/{dataset_id.partition('/')[0]}.html for what must be asked for"
        ) from error
