"""One encoder with three heads: a vector of the text, a weight a word, a vector a token."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from harness.contracts import Context, Role
from harness.errors import CheckpointError
from harness.nn.checkpoint import locate
from harness.nn.exact import all_products
from harness.nn.loading import adjust
from harness.nn.students import LateStudent, Tokens
from harness_bge_m3 import Config
from harness_bge_m3.mcls import check, insert

HEADS = "heads.safetensors"
"""The two further heads, beside an ordinary dense model."""


class Embeddings(NamedTuple):
    """What the three heads make of texts."""

    dense: Float[Tensor, "texts dim"]
    """Unit vectors."""
    lexical: Float[Tensor, "texts vocab"]
    """Weights, not below 0; 0 for whatever isn't in the text."""
    vectors: Float[Tensor, "texts tokens width"]
    """A unit vector a token."""
    mask: Bool[Tensor, "texts tokens"]
    """Tokens that count: all but [CLS] and padding."""


class Scores(NamedTuple):
    """Of the same queries and documents, by each head."""

    dense: Float[Tensor, "queries docs"]
    """Cosines."""
    lexical: Float[Tensor, "queries docs"]
    """Products of the weights of shared words, added up."""
    multi: Float[Tensor, "queries docs"]
    """The mean over query tokens of the largest cosine with a document token."""

    def total(self, weights: Sequence[float]) -> Float[Tensor, "queries docs"]:
        """The weighted sum (s_inter)."""
        return sum((weight * head for weight, head in zip(weights, self, strict=True)), torch.zeros_like(self.dense))


class M3Student(LateStudent):
    """A late-interaction student over a dense checkpoint, whose embeddings also hold what two more heads make.

    Source: Chen et al., 2024 (arXiv:2402.03216), section 3.2.
    """

    family = "dense"

    def __init__(self, checkpoint: str, context: Context, config: Config) -> None:
        """Load the encoder; heads that a training of ours left beside it are taken up, others are drawn from the seed.

        Raises:
            CheckpointError: its tokeniser marks no beginning.
        """
        super().__init__(checkpoint, context, config.max_length)
        adjust(self.model, pooling=config.pooling)
        self.model.similarity_fn_name = "cosine"
        if config.mcls:
            check(self.model, config.max_length, config.mcls)
        self.config, tokeniser = config, self.model.tokenizer
        if tokeniser.cls_token_id is None:
            raise CheckpointError(f"{checkpoint}: expected a tokeniser with a [CLS] token, got none; take another")
        self.first, self._special = int(tokeniser.cls_token_id), torch.tensor(tokeniser.all_special_ids)
        self._vocabulary: int = self.model.transformers_model.get_input_embeddings().num_embeddings
        self.heads = _heads(self.model.transformers_model.config.hidden_size, checkpoint, context)
        self.whole = nn.ModuleDict({"encoder": self.model, "heads": self.heads})

    def forward(self, texts: Sequence[str], role: Role) -> Any:
        """The `Embeddings` of one batch."""
        return self.embeddings(self.features(texts, role))

    def embeddings(self, features: dict[str, Any], every: int = 0) -> Embeddings:
        """What the heads make of a batch.

        Args:
            features: what the model reads.
            every: for long documents, tokens between one [CLS] and the next; 0: one [CLS].
        """
        read = insert(features, self.first, every) if every else features
        tokens, attention = read["input_ids"], read["attention_mask"].bool()
        found = self.model(dict(read))
        hidden: Tensor = found["token_embeddings"]
        firsts = ((tokens == self.first) & attention).unsqueeze(2)
        pooled: Tensor = (hidden * firsts).sum(dim=1) / firsts.sum(dim=1) if every else found["sentence_embedding"]
        return Embeddings(
            dense=normalize(pooled, dim=1),
            lexical=self._lexical(hidden, tokens, attention),
            vectors=normalize(self.heads["multi"](hidden), dim=2),
            mask=attention & (tokens != self.first),
        )

    def reading(self, role: Role) -> dict[str, Any]:
        """Nothing further: the encoder is a dense one."""
        return {}

    def gather(self, encoded: Sequence[Any], rows: Sequence[int]) -> Any:
        """These rows of the batches put one after the other."""
        late = super().gather([Tokens(part.vectors, part.mask) for part in encoded], rows)
        wanted = torch.tensor(rows, device=late.mask.device)
        dense, lexical = (torch.cat([part[head] for part in encoded])[wanted] for head in range(2))
        return Embeddings(dense, lexical, *late)

    def compare(self, queries: Any, documents: Any) -> Scores:
        """The three scores of each query with each document."""
        late = super().matrix(*(Tokens(each.vectors, each.mask) for each in (queries, documents)))
        multi = late / queries.mask.sum(dim=1, keepdim=True)
        dense, lexical = all_products(queries.dense, documents.dense), all_products(queries.lexical, documents.lexical)
        return Scores(dense, lexical, multi)

    def matrix(self, queries: Any, documents: Any) -> Float[Tensor, "queries all_docs"]:
        """The sum of the three scores of each query with each document."""
        return self.compare(queries, documents).total(self.config.weights)

    def lists(self, queries: Any, documents: Any) -> Float[Tensor, "queries docs"]:
        """The same of each query with its own list."""
        every = self.matrix(queries, documents).unflatten(1, (len(queries.dense), -1))
        own = torch.arange(len(every), device=every.device)
        return every[own, own]

    def save(self, folder: Path) -> None:
        """An ordinary dense model, with the two heads beside it."""
        super().save(folder)
        save_file(self.heads.state_dict(), folder / HEADS)

    def retriever(self) -> Any:
        """A retriever by one of the heads, or by all."""
        from harness_bge_m3.search import retriever

        self.whole.eval()
        return retriever(self)

    def _lexical(
        self,
        hidden: Float[Tensor, "texts tokens dim"],
        tokens: Int[Tensor, "texts tokens"],
        attention: Bool[Tensor, "texts tokens"],
    ) -> Float[Tensor, "texts vocab"]:
        """relu(W h) of each token, the largest of those with one id; 0 for special tokens."""
        weights = torch.relu(self.heads["lexical"](hidden)[:, :, 0])
        counts = attention & ~torch.isin(tokens, self._special.to(tokens.device))
        none = weights.new_zeros(len(tokens), self._vocabulary)
        return none.scatter_reduce(1, tokens, weights.masked_fill(~counts, 0.0), "amax")


def _heads(width: int, checkpoint: str, context: Context) -> nn.ModuleDict:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        heads = nn.ModuleDict({"lexical": nn.Linear(width, 1), "multi": nn.Linear(width, width)})
    if (kept := Path(locate(checkpoint)) / HEADS).exists():
        heads.load_state_dict(load_file(kept))
    return heads.to(context.device)
