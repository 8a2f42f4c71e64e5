"""A small collection, toy plugins installed beside it, and the command line in a process of its own."""

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TOYS = Path(__file__).parent / "toys"
WORDS = [f"word{number}" for number in range(60)]


def write_collection(folder: Path, documents: int = 40, queries: int = 12) -> Path:
    """A BEIR folder: a query's relevant document shares three words with it."""
    chance = random.Random(documents)
    (folder / "qrels").mkdir(parents=True)
    texts = [" ".join(chance.sample(WORDS, 12)) for _ in range(documents)]
    lines = [json.dumps({"_id": f"d{i:03}", "title": "", "text": text}) for i, text in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    asked = [(f"q{i}", chance.randrange(documents)) for i in range(queries)]
    lines = [json.dumps({"_id": q, "text": " ".join(chance.sample(texts[d].split(), 3))}) for q, d in asked]
    (folder / "queries.jsonl").write_text("\n".join(lines) + "\n")
    rows = ["query-id\tcorpus-id\tscore"] + [f"{q}\td{d:03}\t1" for q, d in asked]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n")
    return folder


@dataclass
class Lab:
    """A home, collections `small` and `other`, and the toys."""

    folder: Path
    toys: Path = TOYS

    @property
    def env(self) -> dict[str, str]:
        home, data = self.folder / "home", self.folder / "data"
        return os.environ | {"HARNESS_HOME": str(home), "HARNESS_DATA": str(data), "PYTHONPATH": str(self.toys)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "harness.cli.main", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=self.env, start_new_session=True, **pipes)

    def harness(self, *words: str, status: int = 0) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, f"exit {process.returncode}\n{out}\n{err}"
        return out + err

    def results(self) -> list[dict]:
        return json.loads(self.harness("results", "list", "--format", "json").strip() or "[]")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    write_collection(tmp_path / "data" / "small")
    write_collection(tmp_path / "data" / "other", documents=50)
    return Lab(tmp_path)
