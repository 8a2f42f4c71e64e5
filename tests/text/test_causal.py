"""Causal language models: likelihoods and generation, on a random model and on a real one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from harness.errors import CheckpointError, DataError
from harness.testing.models import tiny_causal_lm
from harness.text import likelihood
from harness.text.causal import CausalLM, load_causal_lm
from harness.text.generation import generate
from harness.text.likelihood import log_probabilities

TEXTS = [
    ("Passage: cats sleep.", " what do cats do"),
    ("P", " x"),
    ("", "no passage at all"),
    ("Passage: " + "a long one " * 20, " short"),
    ("Passage: none", ""),
    ("Käse und Brot 🧀", " Käse?"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_causal_lm(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def lm(folder: str) -> CausalLM:
    return load_causal_lm(folder)


def by_hand(lm: CausalLM, first: str, continuation: str) -> np.ndarray:
    """The definition, one text at a time: log softmax of the logits before each token, at that token."""
    before, after = list(first.encode()), list(continuation.encode())
    alphabet = lm.tokenizer.get_vocab()
    letters = lm.tokenizer.backend_tokenizer.pre_tokenizer
    ids = [[alphabet[c] for word, _ in letters.pre_tokenize_str(text) for c in word] for text in (first, continuation)]
    assert [len(own) for own in ids] == [len(before), len(after)]  # a token for each byte
    ids[0] = ids[0] or [lm.tokenizer.bos_token_id]
    with torch.no_grad():
        scores = lm.model(torch.tensor([ids[0] + ids[1]])).logits[0].log_softmax(-1)
    return np.array([scores[len(ids[0]) + place - 1, token] for place, token in enumerate(ids[1])], np.float32)


def test_log_probabilities_are_those_of_the_definition(lm: CausalLM) -> None:
    for text, given in zip(TEXTS, log_probabilities(lm, TEXTS), strict=True):
        np.testing.assert_allclose(given, by_hand(lm, *text), atol=1e-4)


def test_the_first_text_matters(lm: CausalLM) -> None:
    first, second = log_probabilities(lm, [("one passage", " q"), ("two passage", " q")])
    assert abs(float((first - second).mean())) > 0.01


@pytest.mark.parametrize("limits", [(1, 1 << 26), (300, 1 << 26), (4096, 1), (4096, 20000)])
def test_batches_change_nothing(lm: CausalLM, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int]) -> None:
    together = log_probabilities(lm, TEXTS)
    monkeypatch.setattr(likelihood, "TOKENS", limits[0])
    monkeypatch.setattr(likelihood, "LOGITS", limits[1])
    for one, other in zip(together, log_probabilities(lm, TEXTS), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_batches_keep_the_limits(lm: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, ...]] = []
    forward = LlamaForCausalLM.forward

    def watched(self: LlamaForCausalLM, ids: torch.Tensor, **more: object) -> object:
        sizes.append(tuple(ids.shape))
        return forward(self, ids, **more)

    monkeypatch.setattr(LlamaForCausalLM, "forward", watched)
    monkeypatch.setattr(likelihood, "TOKENS", 60)
    log_probabilities(lm, [("x" * length, " y") for length in (3, 28, 7, 26, 5, 90)])
    assert sizes == [(1, 92), (2, 30), (3, 9)]  # 2 · 30 = 60 tokens; the long one alone is over the limit


def test_too_long_is_refused(lm: CausalLM) -> None:
    with pytest.raises(DataError, match="at most 512 tokens"):
        log_probabilities(lm, [("x" * 510, " yz")])
    with pytest.raises(DataError, match="at most 512 tokens"):
        generate(lm, ["x" * 510], max_new_tokens=3)


def test_cut(lm: CausalLM) -> None:
    assert lm.cut("abcdef", 4) == "abcd"
    assert lm.cut("abc", 4) == "abc"
    assert lm.cut("aä", 2) == "aä"  # ä has two tokens; a character is not cut in two


def greedy(lm: CausalLM, prompt: str, count: int) -> str:
    """Token by token, without cache or batch."""
    ids = lm.encode_first([prompt])[0]
    start = len(ids)
    for _ in range(count):
        with torch.no_grad():
            ids = [*ids, int(lm.model(torch.tensor([ids])).logits[0, -1].argmax())]
        if ids[-1] == lm.tokenizer.eos_token_id:
            break
    return lm.tokenizer.decode(ids[start:], skip_special_tokens=True)


def test_greedy_generation_takes_the_likeliest_token(lm: CausalLM) -> None:
    prompts = ["a", "a much longer prompt", "bread"]
    assert generate(lm, prompts, max_new_tokens=6) == [greedy(lm, prompt, 6) for prompt in prompts]


def test_stop_texts_are_left_out(lm: CausalLM) -> None:
    whole = generate(lm, ["bread"], max_new_tokens=12)[0]
    stop = whole[4]
    assert generate(lm, ["bread"], max_new_tokens=12, stop=("never there", stop)) == [whole[: whole.index(stop)]]


def test_drawn_tokens_come_from_the_seed(lm: CausalLM) -> None:
    drawn = [generate(lm, ["bread"] * 3, max_new_tokens=9, temperature=1.0, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 3
    before = torch.get_rng_state()
    generate(lm, ["bread"], max_new_tokens=2, temperature=1.0)
    assert torch.equal(before, torch.get_rng_state())


def test_nothing_asked(lm: CausalLM) -> None:
    assert log_probabilities(lm, []) == []
    assert generate(lm, [], max_new_tokens=3) == []


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="causal language model"):
        load_causal_lm(str(tmp_path))


def test_a_real_model(smollm2: Path) -> None:
    """Values of the sanity check that came with the checkpoint: -2.13 and -4.87."""
    lm = load_causal_lm(str(smollm2))
    passages = (
        "Hypertension is often caused by excess salt intake, obesity and stress.",
        "Nineteen Eighty-Four is a dystopian book by the English author George Orwell.",
    )
    asked = [
        (f"Passage: {passage}\nQuestion this passage answers:", " what causes high blood pressure")
        for passage in passages
    ]
    relevant, other = (float(values.mean()) for values in log_probabilities(lm, asked))
    assert (relevant, other) == (pytest.approx(-2.134, abs=0.005), pytest.approx(-4.868, abs=0.005))
    assert generate(lm, ["The capital of France is"], max_new_tokens=4, stop=(".",)) == [" Paris"]
