"""The card's behaviour checks: what the three scores are, who teaches whom, and that the search finds the same sums."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from harness_bge_m3 import Config
from harness_bge_m3.mcls import insert
from harness_bge_m3.method import BgeM3
from harness_bge_m3.student import Embeddings, M3Student, Scores
from torch import Tensor

from harness.contracts import Lesson, Retriever
from harness.errors import ConfigError, SignalError
from harness.nn.losses import info_nce
from harness.nn.recipe import View
from harness.records import Query, Run
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, corpus, learnt, lesson
from harness.testing.views import view

SMALL: dict[str, Any] = {
    "documents": 6,
    "last_rank": 30,
    "batch": 16,
    "learning_rate": 5e-4,
    "temperature": 0.1,
    "max_length": 16,
}
DOCUMENTS = ("about lemon", "notes on a lemon engine and a violin", "glacier glacier glacier", "")
QUERIES = ("lemon engine", "a violin for the glacier")
Output = Literal["dense", "sparse", "multi", "hybrid"]


class TestHybrid(DistillerContract):
    plugin = "bge-m3"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4", "max_length": "64"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


class TestShortlisted(TestHybrid):
    options = {**TestHybrid.options, "depth": "4"}  # noqa: RUF012


def configured(**options: Any) -> Config:
    values: dict[str, Any] = {**SMALL, **options}
    return Config(**values)


def student(checkpoint: str, folder: Path, **options: Any) -> M3Student:
    (folder / "work").mkdir(parents=True, exist_ok=True)
    made = M3Student(checkpoint, context(folder), configured(**options))
    made.whole.eval()
    return made


@torch.no_grad()
def compared(by: M3Student) -> tuple[Embeddings, Embeddings, Scores]:
    queries, documents = by.embed(QUERIES, "query"), by.embed(DOCUMENTS, "document")
    return queries, documents, by.compare(queries, documents)


def test_lexical_scores_are_sums_over_shared_ids(bare_encoder: str, tmp_path: Path):
    by = student(bare_encoder, tmp_path)
    queries, documents, scores = compared(by)
    ids = [
        [set(by.features([text], "document")["input_ids"][0].tolist()) for text in of] for of in (QUERIES, DOCUMENTS)
    ]
    for q, asked in enumerate(ids[0]):
        for d, given in enumerate(ids[1]):
            shared = sum(float(queries.lexical[q, i] * documents.lexical[d, i]) for i in asked & given)
            assert scores.lexical[q, d].item() == pytest.approx(shared, abs=1e-6)


def test_lexical_weights_are_the_largest_of_an_id_and_of_ids_in_the_text_alone(bare_encoder: str, tmp_path: Path):
    by = student(bare_encoder, tmp_path)
    special = set(by.model.tokenizer.all_special_ids)
    found: Tensor = by.embed(DOCUMENTS, "document").lexical.detach()
    assert (found >= 0).all()
    assert found.any()
    for text, weights in zip(DOCUMENTS, found, strict=True):
        features = by.features([text], "document")
        ids, hidden = features["input_ids"][0], by.model(dict(features))["token_embeddings"][0]
        each = torch.relu(by.heads["lexical"](hidden)[:, 0]).detach()
        expected: dict[int, float] = {}
        for token, weight in zip(ids.tolist(), each.tolist(), strict=True):
            if token not in special:
                expected[token] = max(expected.get(token, 0.0), weight)
        assert {i: weights[i].item() for i in expected} == pytest.approx(expected, abs=1e-6)
        assert set(weights.nonzero()[:, 0].tolist()) <= set(expected)


def test_multi_vector_scores_are_means_of_the_largest_cosines(bare_encoder: str, tmp_path: Path):
    queries, documents, scores = compared(student(bare_encoder, tmp_path))
    for q in range(len(QUERIES)):
        asked = queries.vectors[q][queries.mask[q]]
        for d in range(len(DOCUMENTS)):
            given = documents.vectors[d][documents.mask[d]]
            assert scores.multi[q, d].item() == pytest.approx((asked @ given.T).amax(1).mean().item(), abs=1e-5)
    # The words and [SEP], but not [CLS].
    assert queries.mask.sum(dim=1).tolist() == [3, 6]
    assert documents.mask[3].sum() == 1


def test_the_sum_is_the_stated_one_and_of_the_dense_score_alone_the_dense_ranking(bare_encoder: str, tmp_path: Path):
    by = student(bare_encoder, tmp_path)
    queries, documents, scores = compared(by)
    expected = scores.dense + 0.3 * scores.lexical + scores.multi
    torch.testing.assert_close(by.matrix(queries, documents), expected)
    assert (scores.total((1.0, 0.0, 0.0)) == scores.dense).all()
    torch.testing.assert_close(scores.dense, queries.dense @ documents.dense.T)
    lists = by.lists(queries, documents)
    torch.testing.assert_close(lists, torch.stack([expected[0, :2], expected[1, 2:]]))


def search(by: M3Student, folder: Path, k: int = 48, **options: Any) -> Run:
    by.config = dataclasses.replace(by.config, **options)
    retriever = by.retriever()
    retriever.index(corpus(folder))
    return retriever.search([Query(id=text, text=text) for text in QUERIES], k)


@pytest.mark.parametrize(("output", "head"), [("dense", 0), ("sparse", 1), ("multi", 2), ("hybrid", 3)])
def test_each_retriever_ranks_by_its_score(output: Output, head: int, bare_encoder: str, tmp_path: Path):
    by = student(bare_encoder, tmp_path)
    run = search(by, tmp_path / "corpus", output=output)
    documents = corpus(tmp_path / "again")
    with torch.no_grad():
        three = by.compare(by.embed(QUERIES, "query"), by.embed(documents.contents(), "document"))
    expected = (*three, three.total(by.config.weights))[head].numpy()
    for rows, scores, line in zip(run.rows, run.scores, expected, strict=True):
        found = rows >= 0
        np.testing.assert_allclose(scores[found], line[rows[found]], atol=1e-5)
        assert found.all() or (output == "sparse" and found.sum() == (line > 0).sum())


def test_a_hybrid_search_with_one_weight_is_that_heads(bare_encoder: str, tmp_path: Path):
    by = student(bare_encoder, tmp_path)
    dense = search(by, tmp_path / "one", output="dense")
    summed = search(by, tmp_path / "two", output="hybrid", weights=(1.0, 0.0, 0.0))
    np.testing.assert_allclose(dense.scores, summed.scores, atol=1e-6)


def test_a_shortlist_has_the_sums_of_the_best_of_two_rankings(bare_encoder: str, tmp_path: Path):
    by = student(bare_encoder, tmp_path)
    whole = search(by, tmp_path / "whole")
    dense, sparse = (search(by, tmp_path / o, 5, output=o).rows for o in ("dense", "sparse"))
    short = search(by, tmp_path / "short", output="hybrid", depth=5)
    for query in range(len(QUERIES)):
        candidates = set(dense[query].tolist()) | set(sparse[query].tolist()) - {-1}
        expected = [row for row in whole.rows[query].tolist() if row in candidates]
        assert [row for row in short.rows[query].tolist() if row >= 0] == expected
        places = [whole.rows[query].tolist().index(row) for row in expected]
        np.testing.assert_allclose(short.scores[query, : len(expected)], whole.scores[query, places], atol=1e-5)


def scored(*heads: Sequence[Sequence[float]]) -> Scores:
    return Scores(*(torch.tensor(head).requires_grad_() for head in heads))


def method(**options: Any) -> BgeM3:
    return BgeM3(Config(**options), context(Path("unused")))


BATCH = view([[0.0, 0.0]])
HEADS = ([[0.9, 0.5]], [[0.2, 0.4]], [[0.7, 0.1]])


def test_by_hand():
    # At temperature 1 margins 0.4, -0.2, 0.6 and, of the sum 0.4 - 0.06 + 0.6, 0.94: log(1 + exp(-margin)).
    scores, config = scored(*HEADS), {"temperature": 1.0}
    losses = [np.log1p(np.exp(-margin)) for margin in (0.4, -0.2, 0.6, 0.94)]
    given = (losses[0] + 0.1 * losses[1] + losses[2] + losses[3]) / 4
    assert method(**config).given(scores, BATCH).item() == pytest.approx(given, rel=1e-5)
    # The sum's probability of the first is σ(0.94): p log(1 + exp(-m)) + (1 - p) log(1 + exp(m)).
    p = 1 / (1 + np.exp(-0.94))
    soft = [p * np.log1p(np.exp(-margin)) + (1 - p) * np.log1p(np.exp(margin)) for margin in (0.4, -0.2, 0.6)]
    own = method(**config).own(scores, scores.total((1.0, 0.3, 1.0)), BATCH)
    assert own.item() == pytest.approx((soft[0] + 0.1 * soft[1] + soft[2]) / 3, rel=1e-5)


def to_total(**options: Any) -> Tensor | None:
    total = torch.tensor([[1.0, 0.2]]).requires_grad_()
    method(temperature=0.5, **options).own(scored(*HEADS), total, BATCH).backward()
    return total.grad


def test_the_sum_gets_no_gradient_unless_it_is_wanted():
    assert to_total() is None
    learning = to_total(detach_target=False)
    assert learning is not None
    assert learning.abs().max() > 0.01


def own_gradients(weights: tuple[float, float, float]) -> list[Tensor]:
    scores = scored(*3 * (HEADS[0],))
    method(temperature=0.2, weights=weights).own(scores, scores.total(weights), BATCH).backward()
    return [head.grad for head in scores if head.grad is not None]


def test_equal_heads_teach_themselves_nothing_if_weights_add_up_to_1_and_to_be_surer_else():
    assert all(gradient.abs().max() < 1e-6 for gradient in own_gradients((0.5, 0.25, 0.25)))
    sharper = own_gradients((1.0, 0.3, 1.0))
    assert all(gradient[0, 0] < -0.01 for gradient in sharper)


def test_self_distillation_begins_at_its_step_and_can_be_left_out(bare_encoder: str, tmp_path: Path):
    from harness.nn.view import LateView

    by = student(bare_encoder, tmp_path)
    queries, documents = by.embed(QUERIES, "query"), by.embed(DOCUMENTS, "document")
    facts: dict[str, Any] = {f.name: getattr(view([[0.0] * 2] * 2), f.name) for f in dataclasses.fields(View)}
    batch = LateView(**facts, student=by, query_tokens=queries, document_tokens=documents)

    def loss(step: int = 0, **options: Any) -> float:
        return method(**options).loss(dataclasses.replace(batch, step=step)).item()

    given = loss(self_distil=False)
    assert loss(start=5, step=4) == given
    assert loss(start=5, step=5) == loss() != given
    scores = by.compare(queries, documents)
    assert given == pytest.approx(method().given(scores, batch).item())
    own = method().own(scores, scores.total((1.0, 0.3, 1.0)), batch).item()
    assert loss() == pytest.approx((given + own) / 2)


def test_an_outside_teacher_takes_the_place_of_the_labels():
    lists = view([[0.0, 0.0], [0.0, 0.0]], [[1e4, 0.0], [0.0, 1e4]])
    line = [[0.5, 0.1, 9.0, 9.0], [9.0, 9.0, 0.5, 0.1]]
    found = method(outside=True, lexical=1.0, weights=(1.0, 0.0, 0.0)).given(scored(line, line, line), lists)
    own = torch.tensor([[0.5, 0.1], [0.5, 0.1]])
    expected = info_nce(own, torch.tensor([0, 1]), temperature=0.02)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_an_outside_teacher_must_be_there(bare_encoder: str, tmp_path: Path):
    with pytest.raises(SignalError):
        BgeM3(configured(outside=True), context(tmp_path)).distil(lesson(bare_encoder, None, tmp_path))


def test_several_marks_in_a_short_document_change_nothing_and_in_a_long_one_are_averaged(
    bare_encoder: str, tmp_path: Path
):
    by = student(bare_encoder, tmp_path, pooling="cls", mcls=8)
    short, long = ["about lemon", "a violin"], ["the glacier and the volcano and the engine and the spider"]
    with torch.no_grad():
        plain, marked = (by.embeddings(by.features(short, "document"), every) for every in (0, 8))
        for one, other in zip(plain, marked, strict=True):
            torch.testing.assert_close(one, other)
        read = insert(by.features([*short, *long], "document"), by.first, 8)
        places = read["input_ids"] == by.first
        assert (places & read["attention_mask"].bool()).sum(dim=1).tolist() == [1, 1, 2]
        assert places[2].nonzero()[:, 0].tolist() == [0, 8]
        hidden = by.model(dict(read))["token_embeddings"]
        mean = torch.nn.functional.normalize(hidden[2, [0, 8]].mean(dim=0), dim=0)
        found = by.embeddings(by.features([*short, *long], "document"), 8)
        torch.testing.assert_close(found.dense[2], mean)
        torch.testing.assert_close(found.dense[:2], plain.dense)
        assert found.mask[2].sum() == 12


def test_several_marks_need_a_vector_of_a_mark_and_room(bare_encoder: str, tmp_path: Path):
    with pytest.raises(ConfigError, match="pooling=cls"):
        student(bare_encoder, tmp_path, mcls=8)
    with pytest.raises(ConfigError, match="lower max_length"):
        student(bare_encoder, tmp_path, pooling="cls", mcls=8, max_length=500)


def test_weights_that_make_no_sense():
    with pytest.raises(ValueError, match="three weights"):
        Config(weights=(1.0, 0.3))


def test_what_is_kept_is_a_dense_model_and_heads_that_are_taken_up_again(bare_encoder: str, tmp_path: Path):
    from sentence_transformers import SentenceTransformer

    config = configured(steps=3, chunk=2)
    BgeM3(config, context(tmp_path)).distil(lesson(bare_encoder, None, tmp_path))
    kept = tmp_path / "work" / "training" / "student"
    again = student(str(kept), tmp_path / "again")
    dense = SentenceTransformer(str(kept), device="cpu")
    dense.max_seq_length = 16
    with torch.no_grad():
        expected = again.embed(DOCUMENTS, "document").dense.numpy()
    assert dense.similarity_fn_name == "cosine"
    np.testing.assert_allclose(dense.encode(list(DOCUMENTS), normalize_embeddings=True), expected, atol=1e-5)
    fresh = student(bare_encoder, tmp_path / "fresh")
    (drawn, *_), (learnt_before, *_) = fresh.heads.parameters(), again.heads.parameters()
    assert not torch.equal(drawn, learnt_before)


@dataclasses.dataclass(frozen=True)
class Made:
    """Its student is trained already."""

    retriever: Any

    def distil(self, lesson: Lesson) -> Retriever:
        return self.retriever


def after(checkpoint: str, folder: Path, teacher: Any = None, **options: Any) -> float:
    config = configured(**{"batch": 8, "steps": 20, **options})
    return learnt(BgeM3(config, context(folder)), lesson(checkpoint, teacher, folder))


def test_learns_topics_from_labels_and_all_heads_know_more_than_one(bare_encoder: str, tmp_path: Path):
    untrained = after(bare_encoder, tmp_path / "untrained", steps=1, learning_rate=1e-9)
    assert after(bare_encoder, tmp_path, learning_rate=2e-4) > untrained + 0.2
    trained = student(str(tmp_path / "work" / "training" / "student"), tmp_path / "again")
    given, found = lesson(bare_encoder, None, tmp_path / "given"), dict[str, float]()
    for output in ("dense", "sparse", "multi", "hybrid"):
        trained.config = dataclasses.replace(trained.config, output=output)
        found[output] = learnt(Made(trained.retriever()), given)
    assert min(found["dense"], found["multi"], found["hybrid"]) > 0.7
    assert found["hybrid"] == max(found.values())


def test_learns_from_an_outside_teacher_and_less_from_a_permuted_one(bare_encoder: str, tmp_path: Path):
    honest, permuted = (
        after(bare_encoder, tmp_path / str(lies), TopicTeacher(permuted=lies), outside=True) for lies in (False, True)
    )
    assert honest > 0.7
    assert permuted < honest - 0.2
