"""`harness results import-run` and `import-mteb`: run files and result files of others become external results."""

import json
import os
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness.cli.results import results
from harness.cli.score import score
from harness.errors import DataError, StoreError
from harness.records import Run
from harness.store import Store, open_store
from harness.store.inspection import problems

needs_mteb = pytest.mark.skipif(find_spec("mteb") is None, reason="mteb is not installed")
RUN = ["q1 Q0 d1 1 3.5 them", "q1 Q0 d2 2 1.5 them", "q2 Q0 d2 1 2 them"]


def call(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(results, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def task(tmp_path: Path) -> str:
    """A task of three documents and queries; the relevant one of `q3` is found by nobody."""
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": f"d{n}", "title": f"Title {n}", "text": f"text {n}"} for n in (1, 2, 3)]
    queries = [{"_id": f"q{n}", "text": f"query {n}"} for n in (1, 2, 3)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(one) + "\n" for one in documents))
    (folder / "queries.jsonl").write_text("".join(json.dumps(one) + "\n" for one in queries))
    lines = ["query-id\tcorpus-id\tscore", "q1\td2\t1", "q2\td2\t1", "q3\td3\t1"]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    return f"beir:{folder}"


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def import_run(path: Path, task: str, *words: str, status: int = 0) -> str:
    return call("import-run", path, "--task", task, "--name", "theirs", *words, status=status)


def only(store: Store):
    (evaluation,) = store.evaluations()
    return evaluation


def test_a_run_is_scored_as_ours_are_and_stored_with_its_values(task, tmp_path):
    file = written(tmp_path / "run.trec", RUN)
    shown = import_run(file, task, "--url", "https://example.org/run")
    assert "1 evaluation added, 0 known already, 2 files stored" in shown
    store = open_store()
    result = only(store)
    assert result.id in shown
    assert (result.division, result.method.name, result.method.kind) == ("external", "theirs", "external")
    assert result.per_query["RR@10"] == (0.5, 1.0, 0.0), "a query without a line scores 0"
    assert result.measures["RR@10"] == 0.5
    assert result.task.query_ids == ("q1", "q2", "q3")
    assert result.config == {"source": "run file", "url": "https://example.org/run"}
    assert result.environment["file"] == "run.trec"
    assert problems(store) == []
    told = json.loads(CliRunner().invoke(score, ["--run", str(file), "--task", task, "--format", "json"]).output)
    assert {name: result.measures[name] for name in told["measures"]} == told["measures"]


def test_its_run_and_top_documents_are_kept(task, tmp_path):
    import_run(written(tmp_path / "run.trec", RUN), task)
    store = open_store()
    result = only(store)
    import pandas

    run, top = (pandas.read_parquet(store.checked_path(artefact)) for artefact in result.artefacts)
    assert run.astype({"query": str, "document": str}).to_dict("list") == {
        "query": ["q1", "q1", "q2"],
        "document": ["d1", "d2", "d2"],
        "score": [3.5, 1.5, 2.0],
    }
    assert top[["query", "rank", "title"]].to_numpy().tolist()[0] == ["q1", 1, "Title 1"]
    call("export", result.id, "--trec", tmp_path / "again.trec")
    assert [line.split()[:5] for line in (tmp_path / "again.trec").read_text().splitlines()] == [
        line.split()[:5] for line in RUN
    ]


def test_the_same_run_twice_is_one_however_it_is_written(task, tmp_path):
    import_run(written(tmp_path / "a.trec", RUN), task)
    turned = [line.replace("them", "us").replace("3.5", "3.50e0") for line in reversed(RUN)]
    assert "0 evaluations added, 1 known already" in import_run(written(tmp_path / "b.trec", turned), task)
    better = [*RUN, "q3 Q0 d3 1 1 them"]
    assert "1 evaluation added" in import_run(written(tmp_path / "c.trec", better), task)
    assert "1 evaluation added" in import_run(tmp_path / "c.trec", task, "--url", "https://example.org/")


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["q1 Q0 d1 1 3.5"], "columns"),
        (["q9 Q0 d1 1 3.5 x"], "q9"),
        (["q1 Q0 d9 1 3.5 x"], "d9"),
        (["q1 Q0 d1 1 nan x"], "finite"),
        ([RUN[0], RUN[0]], "once"),
        ([], "columns"),
    ],
)
def test_what_is_no_run_of_the_task_is_refused(task, tmp_path, lines, word):
    with pytest.raises(DataError, match=word):
        import_run(written(tmp_path / "run.trec", lines), task)
    assert open_store().evaluations() == []


def test_a_url_that_leads_elsewhere_is_refused(task, tmp_path):
    with pytest.raises(StoreError, match="https://"):
        import_run(written(tmp_path / "run.trec", RUN), task, "--url", "javascript:alert(1)")
    assert open_store().evaluations() == []


class Toy:
    """Finds documents in an order that depends on the query's id alone."""

    def index(self, corpus):
        self.corpus = corpus

    def search(self, queries, k):
        count = len(self.corpus)
        rows = np.stack([np.roll(np.arange(count), int(query.id[1:]) % 3)[:k] for query in queries])
        scores = np.tile(np.arange(rows.shape[1], 0, -1), (len(queries), 1))
        ids = tuple(query.id for query in queries)
        return Run(query_ids=ids, rows=rows.astype(np.int32), scores=scores.astype(np.float32))

    def save(self, folder): ...

    def load(self, folder, corpus):
        self.corpus = corpus


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """mteb's own folder of results: a toy on a tiny task that has two subsets, evaluated by mteb itself."""
    pytest.importorskip("mteb")
    import mteb
    from datasets import Dataset
    from mteb.abstasks import AbsTaskRetrieval
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
    from mteb.abstasks.task_metadata import TaskMetadata
    from mteb.cache import ResultCache

    from harness.adapters import mteb_search

    class Tiny(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="TinyTask",
            description="Six documents.",
            type="Retrieval",
            main_score="ndcg_at_10",
            eval_langs={"de": ["deu-Latn"], "en": ["eng-Latn"]},
            eval_splits=["test"],
            dataset={"path": "local/tiny", "revision": "7"},
        )

        def load_data(self, *_, **__):
            documents = [{"id": f"d{n}", "title": "", "text": f"text {n}"} for n in range(6)]
            queries = [{"id": f"q{n}", "text": f"query {n}"} for n in range(4)]
            self.dataset = {
                subset: {
                    "test": RetrievalSplitData(
                        corpus=Dataset.from_list(documents),
                        queries=Dataset.from_list(queries),
                        relevant_docs={f"q{n}": {f"d{(n + shift) % 6}": 1} for n in range(4)},
                        top_ranked=None,
                    )
                }
                for shift, subset in enumerate(("de", "en"))
            }
            self.data_loaded = True

    folder = tmp_path_factory.mktemp("mteb")
    model = mteb_search(Toy(), "lab/toy", "r1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_HOME", str(folder / "home"))
        mteb.evaluate(model, [Tiny()], cache=ResultCache(folder / "cache"), co2_tracker=False, raise_error=True)
    (file,) = (folder / "cache").rglob("TinyTask.json")
    return file


@needs_mteb
def test_what_mteb_wrote_is_stored_as_it_says(evaluated):
    assert "2 evaluations added" in call("import-mteb", evaluated.parents[2])
    assert "0 evaluations added, 2 known already" in call("import-mteb", evaluated.parents[2])
    store = open_store()
    told = {entry["hf_subset"]: entry for entry in json.loads(evaluated.read_text())["scores"]["test"]}
    for result in store.evaluations():
        subset = result.task.name.removeprefix("mteb:TinyTask/")
        assert result.measures["nDCG@10"] == told[subset]["ndcg_at_10"] == told[subset]["main_score"]
        assert result.measures["AP@100"] == told[subset]["map_at_100"]
        assert next(iter(result.measures)) == "nDCG@10"
        assert set(result.per_query.values()) == {()}
        assert result.method.name == "lab/toy"
        assert result.config == {"source": "mteb", "revision": "r1"}
        assert (result.division, result.task.split, result.task.facts["revision"]) == ("external", "test", "7")
        assert result.environment["file"] == "TinyTask.json"
    assert len({result.measures["nDCG@10"] for result in store.evaluations()}) == 2
    assert problems(store) == []


FILE = {
    "dataset_revision": "abc",
    "task_name": "SomeRetrieval",
    "mteb_version": "2.1.0",
    "evaluation_time": 60.0,
    "date": 1767323100.0,
    "scores": {"test": [{"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.25, "ndcg_at_10": 0.25}]},
}


def entry(**scores) -> dict:
    return {**FILE, "scores": {"test": [{**FILE["scores"]["test"][0], **scores}]}}


@pytest.fixture
def folder(tmp_path):
    """A folder of results of one model, written by hand."""
    place = tmp_path / "results" / "intfloat__e5-small" / "rev1"
    place.mkdir(parents=True)
    return place


def put(folder: Path, content: object, name: str = "SomeRetrieval.json") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@needs_mteb
def test_without_model_meta_the_folders_name_the_model(folder):
    put(folder, FILE)
    call("import-mteb", folder.parents[1])
    result = only(open_store())
    assert (result.method.name, result.config["revision"]) == ("intfloat/e5-small", "rev1")
    assert result.finished == datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    assert (result.finished - result.started).total_seconds() == 60
    assert result.measures == {"nDCG@10": 0.25}
    assert result.task.name == "mteb:SomeRetrieval"


@needs_mteb
def test_model_meta_names_it_and_experiments_are_methods_of_their_own(folder):
    meta = {"name": "org/model", "revision": "main", "reference": "https://example.org/model"}
    put(folder, FILE)
    put(folder, meta, "model_meta.json")
    put(folder / "experiments" / "half", entry(ndcg_at_10=0.5, main_score=0.5))
    put(folder / "experiments" / "half", {**meta, "reference": "javascript:alert(1)"}, "model_meta.json")
    call("import-mteb", folder)
    plain, half = sorted(open_store().evaluations(), key=lambda one: one.measures["nDCG@10"])
    assert plain.method.name == half.method.name == "org/model"
    assert plain.config == {"source": "mteb", "revision": "main", "url": "https://example.org/model"}
    assert half.config == {"source": "mteb", "revision": "main", "experiment": "half"}


@needs_mteb
def test_a_corrected_file_is_another_result_and_a_copy_is_not(folder):
    put(folder, FILE)
    call("import-mteb", folder)
    put(folder, {**FILE, "evaluation_time": 1.0, "mteb_version": "2.2.0", "date": None})
    assert "0 evaluations added, 1 known already" in call("import-mteb", folder)
    put(folder, entry(ndcg_at_10=0.26, main_score=0.26))
    assert "1 evaluation added" in call("import-mteb", folder)


@needs_mteb
def test_files_of_earlier_versions_count_too(folder):
    old = {"mteb_dataset_name": "NFCorpus", "mteb_version": "1.0.2", "dataset_revision": "abc"}
    put(folder, {**old, "test": {"ndcg_at_10": 0.3, "map_at_10": 0.2, "evaluation_time": 5.0}}, "NFCorpus.json")
    call("import-mteb", folder)
    result = only(open_store())
    assert (result.task.name, result.measures) == ("mteb:NFCorpus", {"nDCG@10": 0.3, "AP@10": 0.2})


@needs_mteb
def test_a_task_that_mteb_knows_has_its_main_measure_first(folder):
    """Of reranking tasks it is average precision, whatever values other measures happen to have."""
    scores = {"main_score": 0.5, "map_at_1000": 0.5, "ndcg_at_10": 0.5}
    put(folder, {**entry(**scores), "task_name": "AskUbuntuDupQuestions"})
    call("import-mteb", folder)
    assert next(iter(only(open_store()).measures)) == "AP@1000"


@needs_mteb
def test_other_kinds_of_tasks_are_left_out_and_told(folder):
    put(folder, FILE)
    scores = {"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.8, "cosine_spearman": 0.8}
    put(folder, {**FILE, "task_name": "SomeSTS", "scores": {"test": [scores]}}, "SomeSTS.json")
    shown = call("import-mteb", folder)
    assert "1 result file left out" in shown
    assert "1 evaluation added" in shown


@needs_mteb
@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "SomeRetrieval.json"),
        ("[]", "SomeRetrieval.json"),
        ({"task_name": "SomeRetrieval", "mteb_version": "2.0.0"}, "dataset_revision"),
        ({**FILE, "scores": {"test": [{"ndcg_at_10": 0.5}]}}, "main_score"),
        (entry(ndcg_at_10=53.2), "from 0 to 1"),
        (entry(ndcg_at_10=-0.1), "from 0 to 1"),
        (entry(ndcg_at_10=True), "from 0 to 1"),
        (entry(ndcg_at_10="0.5"), "from 0 to 1"),
        (entry(ndcg_at_10=None), "from 0 to 1"),
        (json.dumps(FILE).replace("0.25", "NaN"), "from 0 to 1"),
    ],
)
def test_a_file_that_is_none_of_mtebs_keeps_all_out(folder, content, word):
    put(folder, FILE, "Another.json")
    put(folder, content)
    with pytest.raises(DataError, match=word):
        call("import-mteb", folder)
    assert open_store().evaluations() == []


@needs_mteb
def test_a_broken_model_meta_and_an_empty_folder_are_refused(folder):
    with pytest.raises(DataError, match="found none"):
        call("import-mteb", folder)
    put(folder, FILE)
    for content in ("{", "[]"):
        put(folder, content, "model_meta.json")
        with pytest.raises(DataError, match="model_meta"):
            call("import-mteb", folder)
    put(folder, {"name": "two\nlines"}, "model_meta.json")
    with pytest.raises(StoreError, match="visible"):
        call("import-mteb", folder)
    assert open_store().evaluations() == []


@needs_mteb
@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_out_of_the_folder_names_the_place_it_leads_to(folder, tmp_path):
    """Names come from folders; a link may lead anywhere, and the model is called as the place is."""
    put(folder, FILE)
    (tmp_path / "link").symlink_to(folder)
    call("import-mteb", tmp_path / "link")
    assert only(open_store()).method.name == "intfloat/e5-small"
