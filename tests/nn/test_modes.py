"""What can be computed with, what is refused, and how near the fast modes come."""

import string
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from harness.contracts import FP32, Context
from harness.errors import ConfigError, MissingExtra
from harness.nn import bfloat16, modes

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None, reason="sentence_transformers is not installed"
)
FAST = [
    pytest.param(
        mode,
        marks=pytest.mark.skipif(not modes.can(mode, "cpu"), reason="a package is not installed, or no bfloat16 here"),
    )
    for mode in modes.MODES[1:]
]


@pytest.fixture
def anew():
    modes.fastest.cache_clear()
    yield
    modes.fastest.cache_clear()


def test_unknown_modes_are_refused() -> None:
    assert modes.check(FP32, "cuda:3") == FP32
    with pytest.raises(ConfigError, match=r"expected fp32, bf16, openvino-bf16, got 'int8'"):
        modes.check("int8")


def test_what_a_mode_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfloat16, "multiplies", lambda kind: False)
    assert modes.check(modes.BF16) == modes.BF16  # some device may have it
    with pytest.raises(ConfigError, match="cpu doesn't compute in bfloat16; take fp32"):
        modes.check(modes.BF16, "cpu")
    monkeypatch.setattr(modes, "find_spec", lambda name: object())
    with pytest.raises(ConfigError, match="expected the device cpu, got cuda:0"):
        modes.check(modes.OPENVINO, "cuda:0")
    monkeypatch.setattr(modes, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"retrieval-harness\[fast\]"):
        modes.check(modes.OPENVINO)


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((9, 9, 9), FP32),
        ((9, 8, 9), FP32),
        ((9, 4, 3.9), "bf16"),
        ((9, 4, 3), "openvino-bf16"),
        ((9, 10, 5), "openvino-bf16"),
    ],
)
def test_only_what_is_clearly_faster_is_taken(
    seconds: tuple[float, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "can", lambda mode, device: True)
    monkeypatch.setattr(modes, "_seconds", lambda usable: dict(zip(usable, seconds, strict=True)))
    assert modes.fastest("cpu") == expected


@pytest.mark.usefixtures("anew")
def test_where_nothing_else_works_it_is_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modes, "can", lambda mode, device: mode == FP32)
    assert modes.fastest("cpu") == FP32
    assert modes.fastest("mps") == FP32


@pytest.mark.usefixtures("anew")
def test_a_gpu_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modes, "can", lambda mode, device: mode != modes.OPENVINO)
    assert modes.fastest("cuda:1") == modes.BF16


@pytest.mark.usefixtures("anew")
def test_the_probe_finds_one_that_works() -> None:
    chance = torch.random.get_rng_state()
    found = modes.fastest("cpu")
    assert modes.check(found, "cpu") == found
    assert torch.equal(torch.random.get_rng_state(), chance)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    chance = np.random.default_rng(0)
    return [" ".join(chance.choice([*string.ascii_lowercase], int(chance.integers(1, 40)))) for _ in range(40)]


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("mode", FAST)
def test_fast_vectors_are_near(
    mode: str, few: bool, tiny_dense: Path, context: Context, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.nn.encoders import DenseEncoder
    from harness.nn.loading import load

    monkeypatch.setattr(modes, "PACKED_FROM", 1 << 30 if few else 0)
    model = load("dense", str(tiny_dense), context)
    exact, fast = DenseEncoder(model)(texts, "query"), DenseEncoder(model, mode=mode)(texts, "query")
    assert fast.dtype == np.float32
    assert not np.array_equal(exact, fast)
    assert cosines(exact, fast).mean() >= 0.9995
    np.testing.assert_allclose(np.linalg.norm(fast, axis=1), 1, atol=1e-6)
    assert np.array_equal(DenseEncoder(model)(texts, "query"), exact)  # the model is as before


@pytest.mark.parametrize("mode", FAST)
def test_fast_terms_are_near(mode: str, tiny_bert: Path, context: Context, texts: list[str]) -> None:
    from harness.nn.encoders import SparseEncoder
    from harness.nn.loading import load

    model = load("sparse", str(tiny_bert), context)
    exact, fast = SparseEncoder(model)(texts, "document"), SparseEncoder(model, mode=mode)(texts, "document")
    assert cosines(exact.toarray(), fast.toarray()).mean() >= 0.9995


@pytest.mark.parametrize("mode", FAST)
def test_fast_token_vectors_are_near(mode: str, tiny_bert: Path, texts: list[str]) -> None:
    from sentence_transformers import MultiVectorEncoder as Library

    from harness.nn.encoders import MultiVectorEncoder

    model = Library(str(tiny_bert), device="cpu")
    exact, fast = (np.concatenate(MultiVectorEncoder(model, each)(texts, "query")) for each in (FP32, mode))
    assert cosines(exact, fast).mean() >= 0.9995


@pytest.mark.skipif(not modes.can(modes.OPENVINO, "cpu"), reason="OpenVINO is not installed, or no bfloat16 here")
def test_openvino_sees_that_weights_have_changed(tiny_dense: Path, context: Context, texts: list[str]) -> None:
    from harness.nn.encoders import DenseEncoder
    from harness.nn.loading import load

    model = load("dense", str(tiny_dense), context)
    encoder = DenseEncoder(model, mode=modes.OPENVINO)
    before = encoder(texts, "query")
    with torch.no_grad():
        model[0].model.encoder.layer[0].output.dense.weight.neg_()
    after = encoder(texts, "query")
    assert cosines(after, DenseEncoder(model)(texts, "query")).mean() >= 0.9995
    assert cosines(after, before).mean() < 0.99


@pytest.mark.skipif(not modes.can(modes.OPENVINO, "cpu"), reason="OpenVINO is not installed, or no bfloat16 here")
def test_what_openvino_can_not_run_is_refused(tiny_dense: Path, context: Context) -> None:
    from harness.nn.encoders import DenseEncoder
    from harness.nn.loading import load

    model = load("dense", str(tiny_dense), context)
    model[0].modality_config["text"]["method"] = "encode"
    with pytest.raises(ConfigError, match="BertModel can't be converted"):
        DenseEncoder(model, mode=modes.OPENVINO)(["abc"], "query")
