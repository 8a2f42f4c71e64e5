"""Encoding real passages with MiniLM-L6, beside sentence-transformers' own `encode` with its defaults.

Both have the same weights, threads and texts, and are warm: ours has been converted where its mode converts. Passages
are of two collections whose passages are mostly longer than the model reads and two whose passages are short.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import ceil
from pathlib import Path
from statistics import median

import numpy as np
from sentence_transformers import SentenceTransformer

from benchmarks import real
from benchmarks.measure import FAST, Row, in_turn, main, seconds
from harness.contracts import FP32, Context
from harness.index.dense import DenseIndex
from harness.nn import modes
from harness.nn.beside import beside, threads_of
from harness.nn.checkpoint import locate
from harness.nn.encoders import CPU_TOKENS, DenseEncoder
from harness.nn.loading import load
from harness.nn.retriever import EmbeddingRetriever
from harness.scoring.measures import score

COLLECTIONS = ("nfcorpus", "scifact", "nq-mini", "trecdl19-mini")
EACH = 120
"""Passages of each collection."""
GOALS = {"fp32": 1.65, "fast": FAST["encoding"]}
SAME = 0.99999
"""Least cosine between the two's vectors of a text in fp32."""
NEAR = 0.9995
"""The same on average in a fast mode."""
JUDGED = ("nfcorpus", "scifact")
LOST = 0.001
"""How far nDCG@10 of the fast mode may lie from that of fp32."""


def rows(runs: int) -> Iterator[Row]:
    """Each mode that can be had here; the fastest is the fast one."""
    texts, checkpoint = passages(), real.checkpoint()
    peer = SentenceTransformer(locate(checkpoint), device="cpu")
    length = peer.max_seq_length
    tokens = float(np.mean([min(len(read), length) for read in peer.tokenizer(texts, verbose=False)["input_ids"]]))
    fast = modes.fastest("cpu")
    for mode in (mode for mode in modes.MODES if modes.can(mode, "cpu")):
        seen: list[np.ndarray] = []
        expected: list[np.ndarray] = []
        encode = encoder(checkpoint, mode)
        pairs = in_turn(
            lambda encode=encode, seen=seen: seen.append(encode(texts, "document")),
            lambda expected=expected: expected.append(peer.encode(texts, show_progress_bar=False)),
            runs,
        )
        yield Row(
            work=f"encode {len(texts)} passages of {tokens:.0f} tokens on average with MiniLM-L6",
            peer_name="sentence-transformers encode",
            runs=pairs,
            goal=GOALS["fp32"] if mode == FP32 else GOALS["fast"] if mode == fast else None,
            mode=mode,
            found={
                **nearness(seen, expected, mode),
                **(quality(checkpoint, mode) if mode == fast != FP32 else {}),
                **(limit(encode, round(tokens * len(texts)), pairs) if mode != modes.OPENVINO else {}),
            },
            note="The fast mode, as the probe chose it" if mode == fast != FP32 else "",
        )


def passages() -> list[str]:
    """As many of each collection, evenly spaced."""
    found: list[str] = []
    for name in COLLECTIONS:
        corpus = real.task(name).corpus()
        found += corpus.contents(np.linspace(0, len(corpus) - 1, EACH, dtype=np.int64).tolist())
    return found


@cache
def encoder(checkpoint: str, mode: str) -> DenseEncoder:
    context = Context(folder=Path(), build=lambda use: None, mode=mode)
    return DenseEncoder(load("dense", checkpoint, context), mode=mode)


def nearness(ours: list[np.ndarray], theirs: list[np.ndarray], mode: str) -> Mapping[str, float]:
    """Cosines of the vectors of both in every run.

    Raises:
        AssertionError: they aren't near enough, or ours differ from one run to the next.
    """
    assert all(np.array_equal(vectors, ours[0]) for vectors in ours), "the same texts have other vectors"
    unit = [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in theirs]
    cosines = np.einsum("rtd,rtd->rt", np.array(ours), np.array(unit))
    least, mean = float(cosines.min()), float(cosines.mean())
    assert least >= SAME if mode == FP32 else mean >= NEAR, f"{mode}: least cosine {least}, mean {mean}"
    return {"least cosine": least, "mean cosine": mean}


def limit(encode: DenseEncoder, tokens: int, pairs: Sequence[tuple[float, float]]) -> Mapping[str, float]:
    """What the linear layers take on so many tokens with nothing around them, which no encoder is faster than."""
    import torch

    named = encode.model.named_modules()
    layers = [layer for name, layer in named if isinstance(layer, torch.nn.Linear) and ".encoder." in name]
    with modes.computing(encode.model.eval(), encode.mode, modes.PACKED_FROM):
        given = {layer.in_features: torch.randn(CPU_TOKENS, layer.in_features) for layer in layers}

        def multiply(_: int) -> None:
            for layer in layers:
                layer(given[layer.in_features])

        batches = range(ceil(tokens / CPU_TOKENS))
        threads = threads_of(encode.model, encode.mode)
        least = median(seconds(lambda: list(beside(multiply, batches, threads))) for _ in pairs)
    return {
        "s of the linear layers alone": least,
        "ratio if all else took no time": median(p for _, p in pairs) / least,
    }


def quality(checkpoint: str, mode: str) -> Mapping[str, float | str]:
    """nDCG@10 of the mode less that of fp32, on whole collections, and whether that is as near as it is to be.

    It is no reason to stop: documents that are nearly as good as each other change places in some queries of a hundred,
    and which they are is chance.
    """
    found = {name: ndcg(checkpoint, mode, name) - ndcg(checkpoint, FP32, name) for name in JUDGED}
    near = all(abs(difference) <= LOST for difference in found.values())
    differences = {f"nDCG@10 on {name} less that of fp32": difference for name, difference in found.items()}
    return differences | {f"nDCG@10 within {LOST}": "yes" if near else "NO"}


def ndcg(checkpoint: str, mode: str, name: str) -> float:
    task = real.task(name)
    with tempfile.TemporaryDirectory() as folder:
        retriever = EmbeddingRetriever(encoder(checkpoint, mode), DenseIndex, Path(folder))
        retriever.index(task.corpus())
        ranked = retriever.search(task.queries("test"), 10)
        values = score(ranked, task.qrels("test"), task.corpus().id_rank, ["nDCG@10"])
    return float(np.mean(values["nDCG@10"]))


if __name__ == "__main__":
    main(rows)
