"""A whole evaluation with a static embedding model, which encodes in no time: what the engine around it costs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import passages, real
from benchmarks.lab import lab
from benchmarks.measure import Row, in_turn, main
from harness.testing.mteb_task import mteb_score

PASSAGES, DIMENSIONS = 100_000, 256


def rows(runs: int) -> Iterator[Row]:
    """One row."""
    from sentence_transformers import SentenceTransformer

    source, model = real.folder("scifact"), ""
    with lab() as here:
        folder = here.folder / "data" / "passages"
        passages.write(source, folder, PASSAGES)
        model = static_model(here.folder / "static")
        found: dict[str, float] = {}

        def ours() -> None:
            found["nDCG@10"] = here.evaluate("dense", {"model": model}, "passages").measures["nDCG@10"]

        def peer() -> None:
            found["mteb's nDCG@10"] = mteb_score(SentenceTransformer(model, device="cpu"), folder, "test")

        pairs = in_turn(ours, peer, runs, warm=False, forget=here.forget)
    work = f"whole evaluation with a static embedding model, {PASSAGES:,} passages"
    yield Row(work=work, peer_name="mteb", runs=pairs, goal=5, found=found)


def static_model(folder: Path) -> str:
    """A vector a word piece, drawn at random: its quality doesn't matter here."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    from harness.nn.checkpoint import locate

    tokenizer = Tokenizer.from_file(f"{locate(real.checkpoint())}/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    weights = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), DIMENSIONS)).astype(np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu").save(str(folder))
    return str(folder)


if __name__ == "__main__":
    main(rows)
