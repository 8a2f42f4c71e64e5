"""Whole evaluations against mteb's, on the same folders: cold, and again with another measure or other queries.

Both run in this process, after their imports: from reading the collection and loading the checkpoint to the values by
query. Ours checks and stores the run and measures the latency of single queries too; mteb does neither.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import real
from benchmarks.lab import Lab, lab
from benchmarks.measure import FAST, Row, main, seconds
from harness.testing.mteb_task import mteb_score

PEER = "mteb"
OTHER = 300
"""Queries of the other query set."""
LIMIT = "Nearly all of it is encoding, see below; what limits the row of encoding limits this one"


def rows(runs: int) -> Iterator[Row]:
    """Of every piece of work, from the same runs of mteb where the work is the same for mteb."""
    from sentence_transformers import SentenceTransformer

    from harness.nn import modes
    from harness.nn.checkpoint import locate

    source, checkpoint = real.folder("scifact"), real.checkpoint()
    fast = modes.fastest("cpu")
    model = locate(checkpoint)
    with lab() as here:
        folder = _with_other_queries(source, here.folder / "data" / "scifact")

        def ours(mode: str) -> float:
            return here.evaluate("dense", {"model": checkpoint}, "scifact", mode=mode).measures["nDCG@10"]

        def peer(split: str) -> Callable[[], float]:
            return lambda: mteb_score(SentenceTransformer(model, device="cpu"), folder, split)

        cold: dict[str, list[tuple[float, float]]] = {
            mode: [] for mode in dict.fromkeys((fast, "fp32"))
        }  # what is kept is fp32's
        measure: list[tuple[float, float]] = []
        queries: list[tuple[float, float]] = []
        found: dict[str, float] = {}
        for _ in range(runs):
            theirs, found[PEER] = _timed(peer("test"))
            for mode, pairs in cold.items():
                here.forget()
                mine, found[mode] = _timed(lambda mode=mode: ours(mode))
                pairs.append((mine, theirs))
            measure.append((seconds(_another_measure), theirs))
            other, found["other queries"] = _timed(lambda: _other_queries(here, checkpoint))
            queries.append((other, theirs))
        found["other queries, mteb"] = peer("other")()
    work = "whole evaluation of MiniLM-L6 on scifact, cold"
    for mode, pairs in cold.items():
        seen = {"nDCG@10": found[mode], "mteb's nDCG@10": found[PEER]}
        goal = FAST["evaluation"]  # and of fp32
        yield Row(work=work, peer_name=PEER, runs=tuple(pairs), goal=goal, mode=mode, found=seen, note=LIMIT)
    yield Row(work="the same again by another measure", peer_name=PEER, runs=tuple(measure), goal=50)
    seen = {"nDCG@10": found["other queries"], "mteb's nDCG@10": found["other queries, mteb"]}
    note = f"The peer's seconds are those of {OTHER} queries too, the test split's"
    asked = f"the same with {OTHER} other queries"
    yield Row(work=asked, peer_name=PEER, runs=tuple(queries), goal=50, found=seen, note=note)


def _timed(work: Callable[[], float]) -> tuple[float, float]:
    found: list[float] = []
    return seconds(lambda: found.append(work())), found[0]


def _with_other_queries(source: Path, folder: Path) -> Path:
    """The collection with a second query set, from its training queries."""
    shutil.copytree(source, folder)
    header, *lines = (folder / "qrels" / "train.tsv").read_text().splitlines()
    wanted = list(dict.fromkeys(line.split("\t")[0] for line in lines))[:OTHER]
    kept = [line for line in lines if line.split("\t")[0] in set(wanted)]
    (folder / "qrels" / "other.tsv").write_text("\n".join([header, *kept]) + "\n")
    return folder


def _another_measure() -> float:
    """`harness score --evaluation ID --measure nDCG@20`."""
    from harness.plugins import registry
    from harness.runner.artefacts import stored_run
    from harness.scoring import measures
    from harness.store import open_store
    from harness.tasks import open_task

    (evaluation,) = open_store().evaluations(method="dense", per_query=False)
    task = open_task(registry(), "scifact")
    run = stored_run(open_store(), evaluation, task.corpus())
    return float(measures.score(run, task.qrels("test"), task.corpus(), ("nDCG@20",))["nDCG@20"].mean())


def _other_queries(here: Lab, checkpoint: str) -> float:
    evaluation = here.evaluate("dense", {"model": checkpoint}, "scifact", split="other")
    assert evaluation.cost["index_stored"] == 1
    return evaluation.measures["nDCG@10"]


if __name__ == "__main__":
    main(rows)
