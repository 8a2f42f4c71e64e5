"""Learned sparse retrieval with SPLADE-tiny."""

from pathlib import Path

import numpy as np
import pytest
from harness_sparse import Config
from harness_sparse.method import build

from harness.contracts import Context
from harness.data.corpus import build_corpus
from harness.records import Document, Query
from harness.testing import RetrieverContract


class TestContract(RetrieverContract):
    plugin = "sparse"

    @pytest.fixture
    def options(self, models: Path) -> dict[str, str]:
        return {"model": str(models / "splade-tiny"), "max_length": "128"}


TEXTS = ("A man is eating food.", "Someone is having a meal.", "Rockets fly to the Moon.")


def find(config: Config, folder: Path) -> dict[int, float]:
    corpus = build_corpus([Document(id=f"d{row}", text=text) for row, text in enumerate(TEXTS)], folder / "corpus")
    retriever = build(config, Context(folder=folder, build=lambda use: None))
    retriever.index(corpus)
    run = retriever.search([Query(id="q", text="who eats")], 3)
    return {row: score for row, score in zip(run.rows[0].tolist(), run.scores[0].tolist(), strict=True) if row >= 0}


@pytest.mark.parametrize("kept", [None, 3])
def test_scores_are_splade(models: Path, tmp_path: Path, kept: int | None) -> None:
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    folder = str(models / "splade-tiny")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForMaskedLM.from_pretrained(folder).eval()

    def weights(text: str) -> np.ndarray:
        """Formal et al., 2021, equation 6: the maximum over tokens of log(1 + relu(logit))."""
        with torch.inference_mode():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
        found = torch.log1p(torch.relu(logits)).amax(0).numpy()
        return found if kept is None else np.where(found >= np.sort(found)[-kept], found, 0)

    expected = {row: float(weights(text) @ weights("who eats")) for row, text in enumerate(TEXTS)}
    found = find(Config(model=folder, max_active_terms=kept), tmp_path)
    assert found == pytest.approx({row: score for row, score in expected.items() if score}, abs=1e-3)


def test_seismic_finds_the_same_among_few(models: Path, tmp_path: Path) -> None:
    pytest.importorskip("seismic")
    folder = str(models / "splade-tiny")
    exact, near = (find(Config(model=folder, index=index), tmp_path / index) for index in ("exact", "seismic"))
    assert near == pytest.approx(exact, rel=1e-3)
