"""A cross-encoder student: query and document are read together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Context, Retriever
from harness.nn.batches import CHARACTERS_A_TOKEN, MARKS
from harness.nn.exact import keep_output_exact
from harness.nn.loading import adjust, load
from harness.nn.reading import placed
from harness.nn.reranker import Reranker
from harness.nn.students.parts import Part, divided

Pair = tuple[str, str]


class PairStudent:
    """Scores pairs of texts; its head is drawn from the seed where the checkpoint has none."""

    def __init__(self, checkpoint: str, context: Context, max_length: int) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: hub id, folder or `pip:<distribution>`.
            context: device, seed and folder.
            max_length: tokens of query and document together; what is longer is cut.
        """
        self.model: Any = load("cross-encoder", checkpoint, context, new_head=True, num_labels=1)
        adjust(self.model, max_length=max_length)
        keep_output_exact(self.model)
        self.context = context

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def score(self, pairs: Sequence[Pair]) -> Float[Tensor, " pairs"]:
        """The relevance of each pair, with gradients; pairs of like length are read together."""
        guesses = [min((len(a) + len(b)) / CHARACTERS_A_TOKEN + MARKS, self.model.max_seq_length) for a, b in pairs]
        order, parts = divided(pairs, self.model.preprocess(list(pairs)), guesses, self.device)
        found = torch.cat([self.forward(part) for part in parts])
        return found[torch.argsort(torch.tensor(order, device=found.device))]

    def forward(self, pairs: Sequence[Pair]) -> Float[Tensor, " pairs"]:
        """The relevance of one batch, padded together."""
        return self.model(self.features(pairs))["scores"].view(-1)

    def features(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        """What the model reads, on its device."""
        known = pairs.read if isinstance(pairs, Part) else None
        return placed(self.model.preprocess(list(pairs)) if known is None else known, self.device)

    def save(self, folder: Path) -> None:
        """Write it as any user of sentence-transformers loads it."""
        self.model.save_pretrained(str(folder), create_model_card=False)

    def retriever(self, first: Retriever, depth: int) -> Reranker:
        """A retriever that reranks another's best documents."""
        return Reranker(self.model.eval(), first, depth)
