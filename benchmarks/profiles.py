"""Where the time of an evaluation goes: `python -m benchmarks.profiles [NAME…] [--column NAME]`.

Seconds are those that the harness itself stores with each evaluation, and what is left of the whole. What an earlier
state of the code took stands in a column of its own, and stays there.
"""

import argparse
import json
import time
from collections.abc import Callable

from benchmarks import passages, real, report
from benchmarks.engine import PASSAGES, static_model
from benchmarks.lab import Lab, lab

Seconds = dict[str, float]


def scifact() -> Seconds:
    """A checkpoint on scifact, cold."""
    source = real.folder("scifact")
    with lab() as here:
        (here.folder / "data" / "scifact").symlink_to(source)
        return _parts(here, {"model": real.checkpoint()}, "scifact")


def engine() -> Seconds:
    """A static embedding model on many passages: what is left when encoding costs little."""
    source = real.folder("scifact")
    with lab() as here:
        passages.write(source, here.folder / "data" / "passages", PASSAGES)
        return _parts(here, {"model": static_model(here.folder / "static")}, "passages")


def _parts(here: Lab, options: dict[str, str], task: str) -> Seconds:
    from harness.plugins import registry
    from harness.tasks import open_task

    start = time.perf_counter()
    open_task(registry(), task).fingerprint("test")
    reading = time.perf_counter() - start
    start = time.perf_counter()
    cost = here.evaluate("dense", options, task).cost
    whole = time.perf_counter() - start
    latency = cost["latency_queries"] * cost["query_p50_ms"] / 1000
    found = {
        "reading the collection": reading,
        "loading the checkpoint": cost["build_seconds"],
        "encoding and indexing the documents": cost["index_seconds"],
        "encoding the queries and searching": cost["search_seconds"],
        "single queries, for their latency": latency,
    }
    rest = whole - sum(found.values()) + reading
    return found | {"checking, scoring, storing the run": rest}


PROFILES: dict[str, tuple[str, Callable[[], Seconds]]] = {
    "scifact": ("MiniLM-L6 on scifact, cold, fp32", scifact),
    "engine": (f"static embeddings on {PASSAGES:,} passages, cold", engine),
}


def main() -> None:
    """Take profiles and write the page anew."""
    words = argparse.ArgumentParser()
    words.add_argument("names", nargs="*", default=PROFILES, metavar="NAME", help=f"of {', '.join(PROFILES)}")
    words.add_argument("--column", default="now", help="where the seconds stand")
    asked = words.parse_args()
    found = json.loads(report.PROFILES.read_text()) if report.PROFILES.exists() else {}
    engine()  # imports and warms up
    for name in asked.names:
        title, take = PROFILES[name]
        runs = found.setdefault(name, {"title": title, "runs": {}})["runs"]
        runs[asked.column] = take()
        print(title, {part: round(value, 3) for part, value in runs[asked.column].items()}, flush=True)
    report.PROFILES.write_text(json.dumps(found, indent=1) + "\n")
    report.write()


if __name__ == "__main__":
    main()
