"""Our retrievers in mteb, and models of mteb and beir as our retrievers, against those libraries themselves."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.adapters import FromBeir, FromMteb, mteb_search
from harness.adapters.results import from_run, to_run
from harness.contracts import Retriever
from harness.data.corpus import ArrowCorpus, build_corpus
from harness.data.judgements import make_qrels
from harness.errors import CheckpointError, ConfigError, ContractError
from harness.records import Document, Qrels, Query, Run, Turn
from harness.scoring.measures import score
from harness.scoring.order import topk

WORDS = [f"word{n}" for n in range(60)]
MEASURES = {"nDCG@10": "ndcg_at_10", "R@100": "recall_at_100", "AP@100": "map_at_100", "RR@10": "mrr_at_10"}


def embed(texts: Sequence[str]) -> np.ndarray:
    """A bag of words in 32 dimensions: deterministic, and real enough to rank."""
    vectors = np.zeros((len(texts), 32), np.float32)
    for place, text in enumerate(texts):
        for word in text.lower().split():
            digest = hashlib.sha256(word.encode()).digest()
            vectors[place] += np.frombuffer(digest, np.uint8) / 128.0 - 1.0
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


class Bag:
    """The same as a retriever of ours."""

    def index(self, corpus) -> None:
        self.id_rank, self.vectors = corpus.id_rank, embed(corpus.contents())

    def search(self, queries: Sequence[Query], k: int) -> Run:
        rows, scores = topk(embed([query.text for query in queries]) @ self.vectors.T, k, self.id_rank)
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path, corpus) -> None:
        self.index(corpus)


def _texts(chance: np.random.Generator, number: int, length: int) -> list[str]:
    return [" ".join(chance.choice(WORDS, length)) for _ in range(number)]


CHANCE = np.random.default_rng(0)
DOCUMENTS = [
    Document(id=f"d{n}", title=title, text=text)
    for n, (title, text) in enumerate(zip(_texts(CHANCE, 150, 2), _texts(CHANCE, 150, 12), strict=True))
]
# every query is a document's text cut short; its id is that of yet another document
QUERIES = [Query(id=f"d{n + 1}", text=" ".join(DOCUMENTS[n].text.split()[:4])) for n in range(30)]
JUDGED = {f"d{n + 1}": {f"d{n}": 2, f"d{n + 60}": 1, f"d{n + 1}": 1} for n in range(30)}


@pytest.fixture
def corpus(tmp_path: Path) -> ArrowCorpus:
    return build_corpus(DOCUMENTS, tmp_path / "corpus")


@pytest.fixture
def qrels(corpus: ArrowCorpus) -> Qrels:
    return make_qrels(JUDGED, corpus)


@pytest.fixture
def expected(corpus: ArrowCorpus, qrels: Qrels) -> dict[str, np.ndarray]:
    """Values of the retriever of ours."""
    bag = Bag()
    bag.index(corpus)
    return score(bag.search(QUERIES, 100), qrels, corpus, list(MEASURES))


def values(retriever: Retriever, corpus: ArrowCorpus, qrels: Qrels) -> dict[str, np.ndarray]:
    retriever.index(corpus)
    return score(retriever.search(QUERIES, 100), qrels, corpus, list(MEASURES))


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name in MEASURES:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6, err_msg=name)


@pytest.fixture
def in_mteb(own_home: Path) -> Callable:
    """Evaluates a model with mteb; gives its scores."""
    mteb = pytest.importorskip("mteb", reason="mteb is not installed")
    from datasets import Dataset
    from mteb.abstasks.retrieval import AbsTaskRetrieval

    class Small(AbsTaskRetrieval):
        metadata = mteb.TaskMetadata(
            name="Small", description="-", type="Retrieval", main_score="ndcg_at_10", eval_langs=["eng-Latn"],
            dataset={"path": "local/small", "revision": "1"},
        )  # fmt: skip
        candidates = None

        def load_data(self, *_, **__) -> None:
            rows = [{"id": document.id, "title": document.title, "text": document.text} for document in DOCUMENTS]
            asked = [{"id": query.id, "text": query.text} for query in QUERIES]
            split = {"corpus": Dataset.from_list(rows), "queries": Dataset.from_list(asked)}
            split |= {"relevant_docs": {q: dict(d) for q, d in JUDGED.items()}, "top_ranked": self.candidates}
            self.dataset = {"default": {"test": split}}
            self.data_loaded = True

    def evaluate(model: object, candidates: dict | None = None) -> dict[str, float]:
        task = Small()
        task.candidates = candidates
        found = mteb.evaluate(model, [task], cache=None, co2_tracker=False, raise_error=True, show_progress_bar=False)
        return found[0].scores["test"][0]

    return evaluate


def mteb_encoder(vectors: Callable[[list[str]], object] = embed) -> object:
    """The same as an encoder of mteb."""
    from mteb.models import ModelMeta

    class Encoder:
        mteb_model_meta = ModelMeta.create_empty(overwrites={"name": "local/bag", "revision": "1"})

        def encode(self, inputs, *, prompt_type=None, **_):
            return vectors([text for batch in inputs for text in batch["text"]])

        def similarity(self, a, b):
            return a @ b.T

        def similarity_pairwise(self, a, b):
            return (a * b).sum(axis=1)

    return Encoder()


def test_our_retriever_scores_the_same_in_mteb(in_mteb, expected) -> None:
    found = in_mteb(mteb_search(Bag(), "harness/bag", "1"))
    for ours, theirs in MEASURES.items():
        assert found[theirs] == pytest.approx(expected[ours].mean(), abs=1e-5), ours


def test_mteb_encoder_scores_the_same_as_in_mteb_and_here(in_mteb, corpus, qrels, expected) -> None:
    same(values(FromMteb(mteb_encoder()), corpus, qrels), expected)
    assert in_mteb(mteb_encoder())["ndcg_at_10"] == pytest.approx(expected["nDCG@10"].mean(), abs=1e-5)


def test_mteb_search_model_as_ours(in_mteb, corpus, qrels, expected) -> None:
    from mteb.models import SearchEncoderWrapper

    retriever = FromMteb(SearchEncoderWrapper(mteb_encoder()))
    same(values(retriever, corpus, qrels), expected)
    assert retriever.search(QUERIES[:1], 3).rows.shape == (1, 3)  # and again, though mteb forgets the corpus


def test_there_and_back(in_mteb, corpus, qrels, expected) -> None:
    same(values(FromMteb(mteb_search(Bag(), "harness/bag", "1")), corpus, qrels), expected)


def test_mteb_candidates_are_all_that_is_ranked(in_mteb, expected) -> None:
    good = {query.id: list(JUDGED[query.id]) for query in QUERIES}
    assert in_mteb(mteb_search(Bag(), "harness/bag", "1"), good)["recall_at_3"] == 1.0
    none_relevant = {query.id: ["d140", "d141"] for query in QUERIES}
    assert in_mteb(mteb_search(Bag(), "harness/bag", "1"), none_relevant)["recall_at_3"] == 0.0


def test_dialogues_and_instructions_reach_both_sides(in_mteb, corpus) -> None:
    seen: list[Query] = []

    class Spy(Bag):
        def search(self, queries: Sequence[Query], k: int) -> Run:
            seen.extend(queries)
            return super().search(queries, k)

    history = (Turn(role="user", text="first"), Turn(role="assistant", text="second"))
    asked = [Query(id="a", text="third", history=history, instruction="be short"), Query(id="b", text="alone")]
    retriever = FromMteb(mteb_search(Spy(), "harness/spy", "1"))
    retriever.index(corpus)
    retriever.search(asked, 2)
    assert seen == asked


def test_names_and_kinds_that_mteb_cannot_use_are_refused(in_mteb) -> None:
    with pytest.raises(ConfigError, match="organisation/model"):
        mteb_search(Bag(), "bag", "1")
    with pytest.raises(ConfigError, match="object"):
        FromMteb(object())
    with pytest.raises(ConfigError, match="object"):
        FromBeir(object())
    with pytest.raises(ConfigError, match="manhattan"):
        FromBeir(BeirEncoder(), "manhattan")  # type: ignore[arg-type]


def test_vectors_of_another_form_are_refused(in_mteb, corpus) -> None:
    ragged = FromMteb(mteb_encoder(lambda texts: [np.zeros((3, 2))] * len(texts)))
    with pytest.raises(CheckpointError, match="list"):
        ragged.index(corpus)
    short = FromMteb(mteb_encoder(lambda texts: embed(texts)[1:]))
    with pytest.raises(CheckpointError, match="150 documents, got 149"):
        short.index(corpus)


def test_saved_vectors_are_not_encoded_again(in_mteb, corpus, tmp_path: Path) -> None:
    first, calls = FromMteb(mteb_encoder()), []
    first.index(corpus)
    first.save(tmp_path)
    second = FromMteb(mteb_encoder(lambda texts: calls.append(len(texts)) or embed(texts)))
    second.load(tmp_path, corpus)
    assert np.array_equal(second.search(QUERIES, 5).rows, first.search(QUERIES, 5).rows)
    assert calls == [len(QUERIES)]


class BeirEncoder:
    """The same as an encoder of beir, scaled, so that only the cosine gives the same ranking."""

    def encode_queries(self, queries: list[str], **_):
        import torch

        return torch.from_numpy(embed(queries))

    def encode_corpus(self, corpus: list[dict[str, str]], **_):
        import torch

        texts = [f"{document['title']} {document['text']}" for document in corpus]
        lengths = 1 + np.arange(len(texts), dtype=np.float32)[:, None] % 7
        return torch.from_numpy(embed(texts) * lengths)


def test_beir_models_as_ours(corpus, qrels, expected) -> None:
    dense = pytest.importorskip("beir.retrieval.search.dense", reason="beir is not installed")
    same(values(FromBeir(BeirEncoder()), corpus, qrels), expected)
    assert not np.allclose(values(FromBeir(BeirEncoder(), "dot"), corpus, qrels)["AP@100"], expected["AP@100"])
    itself = FromBeir(dense.DenseRetrievalExactSearch(BeirEncoder(), show_progress_bar=False))
    same(values(itself, corpus, qrels), expected)  # beir on its own drops d5 as an answer to query d5
    one = itself.search(QUERIES[:1], 5)  # beir on its own raises an IndexError
    assert np.array_equal(one.rows, itself.search(QUERIES, 5).rows[:1])


def test_results_of_others_are_checked(corpus) -> None:
    found = to_run({"b": {"d2": 1.0, "d10": 1.0, "d3": 7.0}}, ["a", "b"], corpus, 2)
    assert from_run(found, corpus.ids) == {"a": {}, "b": {"d3": 7.0, "d2": 1.0}}  # left out: an empty ranking
    for wrong, words in (
        ({"c": {}}, "'c', which was not asked"),
        ({"a": {"x": 1.0}}, "'x', not in the corpus"),
        ({"a": {"d1": float("nan")}}, "NaN"),
    ):
        with pytest.raises(ContractError, match=words):
            to_run(wrong, ["a", "b"], corpus, 2)
