"""The texts of what was found first, left beside the run."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from harness.records import Run
from harness.runner.topfile import write_top_file
from harness.testing.tiny import tiny_task


def written(folder: Path, run: Run, name: str = "top.parquet") -> list[dict]:
    task = tiny_task(folder)
    split = task.facts.split
    write_top_file(run, task.queries(split), task.corpus(), task.qrels(split), folder / name)
    return pq.read_table(folder / name).to_pylist()


def ranked(folder: Path, depth: int = 12) -> Run:
    task = tiny_task(folder)
    ids = tuple(query.id for query in task.queries(task.facts.split))
    rows = np.tile(np.arange(depth, dtype=np.int32), (len(ids), 1))
    rows[1, 3:] = -1
    rows[2, :] = -1
    scores = np.where(rows >= 0, -rows.astype(np.float32), -np.inf).astype(np.float32)
    return Run(query_ids=ids, rows=rows, scores=scores)


def test_ten_documents_a_query_with_texts_and_grades(tmp_path):
    run, task = ranked(tmp_path), tiny_task(tmp_path)
    split = task.facts.split
    rows = written(tmp_path, run)
    by_query = {id: [row for row in rows if row["query"] == id] for id in run.query_ids}
    assert [len(found) for found in by_query.values()][:3] == [10, 3, 0]
    assert [row["rank"] for row in by_query[run.query_ids[0]]] == list(range(1, 11))
    for place, query in enumerate(task.queries(split)):
        judged = dict(zip(*(part.tolist() for part in task.qrels(split).of(place)), strict=True))
        for row in by_query[query.id]:
            document = task.corpus()[row["rank"] - 1]
            assert (row["document"], row["text"][:20]) == (document.id, query.text[:20])
            assert row["title"][:20] in (document.title[:20], document.text[:20])
            assert row["grade"] == judged.get(row["rank"] - 1)
    assert {row["grade"] is None for row in rows} == {True, False}


def test_long_texts_are_cut_and_equal_runs_give_equal_files(tmp_path):
    rows = written(tmp_path, ranked(tmp_path))
    assert all(len(row["title"]) <= 120 and "\n" not in row["title"] for row in rows)
    written(tmp_path, ranked(tmp_path), "again.parquet")
    assert (tmp_path / "top.parquet").read_bytes() == (tmp_path / "again.parquet").read_bytes()


def test_evaluation_leaves_it(lab):
    lab.harness("run", "--plugin", "toy", "--task", "small")
    (file,) = (lab.folder / "home" / "artefacts").rglob("top.parquet")
    assert set(pq.read_table(file)["query"].to_pylist()) <= {f"q{number}" for number in range(12)}
    lab.harness("store", "check")  # its exit status would tell of a file without an owner
