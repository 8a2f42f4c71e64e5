"""`stdlib-docs`: known-item search over the docstrings of the running Python's standard library.

The query is a docstring's summary line, the one relevant document is the rest of that docstring. It measures how well a
method finds a text from its author's own summary; it says nothing about what users search for, and another docstring
that would satisfy the query as well counts as wrong. Source files are parsed, never imported.
"""

import ast
import platform
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from harness.card import NoConfig
from harness.contracts import Context, Task, TaskFacts
from harness.data.corpus import ArrowCorpus
from harness.data.split import Split
from harness.data.task import SourceTask
from harness.errors import DataError
from harness.records import Document, Query
from harness_tasks.code_digest import code_digest
from harness_tasks.docstring import query_and_document

LEFT_OUT = {
    "test",
    "tests",
    "idlelib",
    "pydoc_data",
    "ensurepip",
    "lib2to3",
    "distutils",
    "tkinter",
    "turtle",
    "turtledemo",
}
"""Tests, applications, generated text, and what some systems install apart, so that the task is the same on all."""
Named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
ENOUGH = 500
"""Fewer documents than this mean that the sources were stripped."""


def build(config: NoConfig, context: Context) -> Task:
    """The task over this Python's standard library."""
    return SourceTask(StdlibSource(Path(sysconfig.get_path("stdlib"))), context.folder)


@dataclass(frozen=True)
class _Item:
    """A docstring as query and document."""

    id: str
    """Qualified name of what it documents."""
    query: str
    """Its summary."""
    document: str
    """Its rest."""


class StdlibSource:
    """A `harness.data.task.Source` over the standard library in a folder."""

    facts = TaskFacts(
        name="stdlib-docs",
        summary=(
            "Known-item search: given the summary line of a docstring in Python's standard library, find the rest of "
            "that docstring among all others. Measures finding a text from its author's summary, not what users ask."
        ),
        splits=("train", "dev", "test"),
        languages=("en",),
        licence="PSF-2.0",
        source="docstrings in the standard library of the Python that runs the harness",
        revision=platform.python_version(),
        citation="Python Software Foundation, The Python Standard Library",
    )

    def __init__(self, folder: Path) -> None:
        """Take the folder of the standard library; nothing is read yet."""
        self._folder = folder

    @property
    def identity(self) -> str:
        """The Python build, where it lies, and how its docstrings are taken apart."""
        return f"stdlib-docs {sys.version} {self._folder} {code_digest('stdlib_docs', 'docstring')}"

    def documents(self) -> Iterator[Document]:
        """The rests of all docstrings; those that are equal only once."""
        for item in self._items:
            if self._holder[item.document] == item.id:
                yield Document(id=item.id, text=item.document)

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        """The summaries of all modules of a split; equal ones are one query, of the first one's split."""
        asked: dict[str, Query] = {}
        judged: dict[str, dict[str, int]] = {}
        for item in self._items:
            query = asked.setdefault(item.query.casefold(), Query(id=f"about:{item.id}", text=item.query))
            judged.setdefault(query.id, {})[self._holder[item.document]] = 1
        queries = [query for query in asked.values() if split_of(query.id.removeprefix("about:")) == name]
        return Split(queries=queries, judged={query.id: judged[query.id] for query in queries})

    @cached_property
    def _holder(self) -> dict[str, str]:
        """The id under which each text is in the corpus: that of the first docstring that has it."""
        holder: dict[str, str] = {}
        for item in self._items:
            holder.setdefault(item.document, item.id)
        return holder

    @cached_property
    def _items(self) -> list[_Item]:
        items: dict[str, _Item] = {}
        for module, path in _modules(self._folder):
            for name, docstring in _docstrings(module, ast.parse(path.read_bytes())):
                if taken := query_and_document(docstring, name):
                    items.setdefault(name, _Item(name, *taken))
        if len(items) < ENOUGH:
            raise DataError(
                f"stdlib-docs: expected thousands of docstrings in the Python sources in {self._folder}, got "
                f"{len(items)}; this Python comes without its sources or with stripped ones: use another Python or task"
            )
        return list(items.values())


def split_of(name: str) -> str:
    """The split of a qualified name, by a hash of its top-level module, `_x` going with `x`.

    Of the hash, the byte is taken that comes nearest to 70, 10 and 20 % of the docstrings of Python 3.11.
    """
    part = sha256(name.partition(".")[0].lstrip("_").encode()).digest()[3] % 10
    return "train" if part < 7 else "dev" if part == 7 else "test"


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    """The library's modules with their source files, in order of their names."""
    for top in sorted(sys.stdlib_module_names - LEFT_OUT):
        for path in [folder / f"{top}.py", *sorted((folder / top).rglob("*.py"))]:
            parts = path.relative_to(folder).with_suffix("").parts
            if path.is_file() and not LEFT_OUT & set(parts):
                yield ".".join(part for part in parts if part != "__init__"), path


def _docstrings(name: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """Qualified names with docstrings: of a module, its classes, their methods and its functions."""
    if isinstance(node, ast.Module | Named) and (docstring := ast.get_docstring(node)):
        yield name, docstring
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Named):
            yield from _docstrings(f"{name}.{child.name}", child)
        elif isinstance(child, ast.If | ast.Try):
            yield from _docstrings(name, child)
