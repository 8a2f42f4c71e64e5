"""Texts through real models: the batches they come in, what stays the same, and models that read in other ways."""

import copy
import hashlib
import string
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.ahead import ahead
from harness.contracts import Context
from harness.errors import DeviceError
from harness.nn import encoders, modes, passing
from harness.nn.batches import halvings
from harness.nn.beside import threads_of
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import load
from harness.nn.reading import Chunk

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None, reason="sentence_transformers is not installed"
)


def drawn(number: int) -> list[str]:
    chance = np.random.default_rng(3)
    return [" ".join(chance.choice([*string.ascii_lowercase], int(chance.integers(0, 50)))) for _ in range(number)]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return drawn(60)


@pytest.fixture
def model(tiny_dense: Path, context: Context) -> Any:
    return load("dense", str(tiny_dense), context)


@pytest.fixture
def sizes(model: Any) -> list[tuple[int, int]]:
    """Texts and columns of each batch that the model reads."""
    found: list[tuple[int, int]] = []
    model[0].register_forward_pre_hook(lambda module, given: found.append(tuple(given[0]["input_ids"].shape)))
    return found


def test_batches_hold_as_many_real_tokens_as_the_budget(
    model: Any, texts: list[str], sizes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DenseEncoder, "cpu_tokens", 100)
    DenseEncoder(model)(texts, "document")
    lengths = sorted((len(tokens) for tokens in model.tokenizer(list(dict.fromkeys(texts)))["input_ids"]), reverse=True)
    assert all(rows * columns <= 100 for rows, columns in sizes)
    assert sum(rows for rows, _ in sizes) == len(lengths)
    assert [columns for _, columns in sizes] == [
        lengths[sum(rows for rows, _ in sizes[:at])] for at in range(len(sizes))
    ]


def test_texts_are_read_in_chunks(
    model: Any, texts: list[str], sizes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DenseEncoder(model)(texts, "document")
    monkeypatch.setattr(passing, "CHUNK", 100)
    monkeypatch.setattr(DenseEncoder, "cpu_tokens", 25)
    sizes.clear()
    np.testing.assert_allclose(DenseEncoder(model)(texts, "document"), whole, atol=1e-6)
    assert all(rows == 1 or rows * columns <= 25 for rows, columns in sizes)


def test_the_same_texts_have_the_same_bits_in_every_process(tiny_dense: Path, model: Any) -> None:
    code = f"""
import hashlib, importlib.util
from pathlib import Path
from harness.contracts import Context
from harness.nn import modes
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import load
spec = importlib.util.spec_from_file_location("here", {__file__!r})
here = importlib.util.module_from_spec(spec)
spec.loader.exec_module(here)
modes.PACKED_FROM = 0
model = load("dense", {str(tiny_dense)!r}, Context(folder=Path("."), build=lambda use: None))
print(hashlib.sha256(DenseEncoder(model)(here.drawn(60), "document").tobytes()).hexdigest())
"""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(modes, "PACKED_FROM", 0)
        here = [hashlib.sha256(DenseEncoder(model)(drawn(60), "document").tobytes()).hexdigest() for _ in range(2)]
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert {*here} == {there}


def test_packed_and_plain_are_the_same_but_for_the_last_bits(
    model: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "PACKED_FROM", 1 << 30)
    plain = DenseEncoder(model)(texts, "document")
    monkeypatch.setattr(modes, "PACKED_FROM", 0)
    vectors = DenseEncoder(model)([*texts, *texts], "document")
    np.testing.assert_allclose(vectors[: len(texts)], plain, atol=1e-6)
    assert np.array_equal(vectors[: len(texts)], vectors[len(texts) :])


def test_the_model_learns_and_is_copied_as_before(
    model: Any, texts: list[str], tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "PACKED_FROM", 0)
    names = [*model.state_dict()]
    before = DenseEncoder(model)(texts, "document")
    model.train()
    model(model.preprocess(["abc"]))["sentence_embedding"].sum().backward()
    assert [*model.state_dict()] == names
    copy.deepcopy(model).save_pretrained(str(tmp_path / "saved"), create_model_card=False)
    again = load("dense", str(tmp_path / "saved"), context)
    assert np.array_equal(DenseEncoder(again)(texts, "document"), before)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.data.mul_(0.5)
    learnt = DenseEncoder(model)(texts, "document")
    np.testing.assert_allclose(learnt, model.eval().encode_document(texts, normalize_embeddings=True), atol=1e-5)


def test_prompts_that_are_not_pooled(model: Any, texts: list[str]) -> None:
    model.set_pooling_include_prompt(False)
    expected = model.encode_query(texts, normalize_embeddings=True)
    np.testing.assert_allclose(DenseEncoder(model)(texts, "query"), expected, atol=1e-5)
    model.set_pooling_include_prompt(True)
    assert np.abs(DenseEncoder(model)(texts, "query") - expected).max() > 1e-2


@pytest.mark.parametrize("name", ["passage", "corpus", "other"])
def test_the_prompt_of_documents_has_several_names(model: Any, name: str) -> None:
    model.prompts = {name: "d: "}
    model.default_prompt_name = "other" if name == "other" else None
    vectors, spelt_out = DenseEncoder(model)(["abc"], "document"), model.encode(["d: abc"], prompt="")
    np.testing.assert_allclose(vectors, spelt_out / np.linalg.norm(spelt_out), atol=1e-6)


def test_padding_on_the_left(model: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DenseEncoder, "cpu_tokens", 100)
    model.tokenizer.padding_side = "left"
    tokens = model.preprocess(["a", "b c d e"])
    chunk = Chunk.of(tokens)
    assert chunk is not None
    assert chunk.lengths == [3, 6]
    assert chunk.part([0])["input_ids"].tolist() == tokens["input_ids"][:1, 3:].tolist()
    alone = np.concatenate([model.encode_document([text], normalize_embeddings=True) for text in ["a", "a b c d e"]])
    # Positions count from the left, as in the library: what stands alone is not padded.
    np.testing.assert_allclose(DenseEncoder(model)(["a"], "document"), alone[:1], atol=1e-6)
    np.testing.assert_allclose(DenseEncoder(model)(["a b c d e"], "document"), alone[1:], atol=1e-6)


def test_a_table_of_vectors_is_not_cut(texts: list[str], tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    table = StaticEmbedding(Tokenizer.from_file(str(tiny_bert / "tokenizer.json")), embedding_dim=8)
    static = SentenceTransformer(modules=[table], device="cpu")
    calls: list[int] = []
    table.register_forward_pre_hook(lambda module, given: calls.append(len(given[0]["offsets"])))
    expected = static.encode(texts, normalize_embeddings=True)
    calls.clear()
    assert Chunk.of(static.preprocess(texts)) is None
    np.testing.assert_allclose(DenseEncoder(static)(texts, "document"), expected, atol=1e-6)
    assert calls == [len(set(texts))]  # nothing is padded, so all go together
    monkeypatch.setattr(passing, "UNPADDED", 30)
    np.testing.assert_allclose(DenseEncoder(static)(texts, "document"), expected, atol=1e-6)


@pytest.mark.parametrize("fits", [1, 3])
def test_a_batch_that_does_not_fit_is_read_again_in_parts(
    model: Any, texts: list[str], sizes: list[tuple[int, int]], fits: int
) -> None:
    expected = DenseEncoder(model)(texts, "document")

    def refuse(module: Any, given: Any) -> None:
        if len(given[0]["input_ids"]) > fits:
            raise torch.OutOfMemoryError

    model[1].register_forward_pre_hook(refuse)
    np.testing.assert_allclose(DenseEncoder(model)(texts, "document"), expected, atol=1e-6)


def test_a_text_that_does_not_fit_is_an_error(model: Any) -> None:
    def refuse(module: Any, given: Any) -> None:
        raise torch.OutOfMemoryError

    model[1].register_forward_pre_hook(refuse)
    with pytest.raises(DeviceError, match="a text of about 5 tokens"):
        DenseEncoder(model)(["abc"], "document")


def test_reading_goes_on_in_another_thread_but_not_far_ahead() -> None:
    begun: list[int] = []
    threads: set[int] = set()

    def work(number: int) -> int:
        begun.append(number)
        threads.add(threading.get_ident())
        return number * number

    made = ahead(work, range(100), threads=1)
    assert [next(made), next(made)] == [0, 1]
    assert len(begun) <= 2 + 2
    assert list(made) == [number * number for number in range(2, 100)]
    assert threading.get_ident() not in threads


def test_what_fails_while_reading_is_raised(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    preprocess: Callable[..., Any] = model.preprocess

    def failing(texts: list[str], **options: Any) -> Any:
        if "bad" in texts:
            raise ZeroDivisionError
        return preprocess(texts, **options)

    monkeypatch.setattr(model, "preprocess", failing)
    with pytest.raises(ZeroDivisionError):
        DenseEncoder(model)(["good", "bad"], "document")
    assert not any("forward" in vars(layer) for layer in model.modules())


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("mode", [mode for mode in modes.MODES if modes.can(mode, "cpu")])
def test_threads_that_compute_beside_each_other_find_the_same(
    mode: str, model: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch, two_threads: None
) -> None:
    monkeypatch.setattr(DenseEncoder, "cpu_tokens", 100)
    monkeypatch.setattr(encoders, "PACKED_FROM", 10**9)
    monkeypatch.setattr(modes, "PACKED_FROM", 0)
    encode = DenseEncoder(model, mode=mode)
    used: list[tuple[int, int]] = []
    model[1].register_forward_pre_hook(lambda *_: used.append((threading.get_ident(), torch.get_num_threads())))
    alone = encode(texts, "document")
    assert set(used) == {(threading.get_ident(), 2)}
    used.clear()
    monkeypatch.setattr(encoders, "PACKED_FROM", 0)
    np.testing.assert_allclose(encode(texts, "document"), alone, atol=1e-6 if mode == modes.FP32 else 1e-2)
    if mode != modes.OPENVINO:  # which has threads of its own
        assert {number for _, number in used} == {1}
        assert threading.get_ident() not in dict(used)
    assert torch.get_num_threads() == 2


def test_a_checkpoint_s_own_code_is_called_by_one_thread(model: Any, two_threads: None) -> None:
    assert threads_of(model, modes.FP32) == 2
    model.append(type("Own", (torch.nn.Identity,), {"__module__": "transformers_modules.lab.model"})())
    assert threads_of(model, modes.FP32) == 1


def test_what_is_halved_by_other_threads_is_told(
    model: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch, two_threads: None
) -> None:
    monkeypatch.setattr(encoders, "PACKED_FROM", 0)

    def refuse(module: Any, given: Any) -> None:
        if len(given[0]["input_ids"]) > 30:
            raise torch.OutOfMemoryError

    model[1].register_forward_pre_hook(refuse)
    with halvings() as halved:
        DenseEncoder(model)(texts, "document")
    assert halved
