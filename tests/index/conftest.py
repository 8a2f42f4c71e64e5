from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.data.corpus import ArrowCorpus, build_corpus
from harness.records import Document


@pytest.fixture
def corpus_of(tmp_path: Path) -> Callable[[Sequence[str]], ArrowCorpus]:
    """A corpus of documents with these ids."""

    def make(ids: Sequence[str]) -> ArrowCorpus:
        documents = [Document(id=doc_id, text=f"text of {doc_id}") for doc_id in ids]
        return build_corpus(documents, tmp_path / f"corpus-{'-'.join(ids)[:50]}")

    return make


@pytest.fixture
def new_folder(tmp_path: Path) -> Callable[[], Path]:
    """Empty folders."""
    made: list[Path] = []

    def make() -> Path:
        made.append(tmp_path / f"folder-{len(made)}")
        made[-1].mkdir()
        return made[-1]

    return make
