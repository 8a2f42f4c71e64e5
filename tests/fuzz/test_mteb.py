"""A folder of mteb's result files becomes external results with the figures that stand there, or is refused."""

import json
from importlib import import_module
from importlib.util import find_spec

import pytest
from hypothesis import strategies as st

from harness.adapters.mteb_results import read_folder
from harness.store import exchange
from harness.store.inspection import problems

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(find_spec("mteb") is None, reason="mteb is not installed"),
]

SCORES = {"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.25, "ndcg_at_10": 0.25, "map_at_10": 0.5}
TOLD = {
    "dataset_revision": "abc",
    "task_name": "SomeRetrieval",
    "mteb_version": "2.1.0",
    "evaluation_time": 60.0,
    "date": 1767323100.0,
    "scores": {"test": [SCORES], "dev": [SCORES]},
}
META = {"name": "org/model", "revision": "main", "reference": "https://example.org/model"}


def test_result_files(fuzz, mutations, scratch, unchanged):
    told = st.one_of(mutations.bent(TOLD).map(mutations.json_line), mutations.spoiled(json.dumps(TOLD).encode()))
    meta = st.one_of(mutations.bent(META).map(mutations.json_line), mutations.spoiled(json.dumps(META).encode()))
    right = st.just(json.dumps(META).encode())
    import_module("mteb.results")  # takes longer than an input may

    def take(contents: tuple[bytes, bytes]) -> None:
        root = scratch.fresh()
        folder, store = root / "results" / "org__model" / "rev", scratch.store()
        folder.mkdir(parents=True)
        (folder / "SomeRetrieval.json").write_bytes(contents[0])
        (folder / "model_meta.json").write_bytes(contents[1])
        unchanged(root / "home", lambda: exchange.admit(store, read_folder(root / "results").results, {}))
        assert problems(store) == []
        for result in store.evaluations():
            assert result.division == "external"
            assert all(0 <= value <= 1 for value in result.measures.values())

    fuzz("mteb result files", st.tuples(told, st.one_of(right, right, meta)), take)
