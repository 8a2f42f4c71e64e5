"""How rare a token is among documents."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.contracts import Corpus

BLOCK = 4096
"""Documents tokenised at once."""


def table(corpus: Corpus, tokenizer: Any, vocabulary: int) -> Float[Tensor, " vocab"]:
    """The IDF of each token, log(1 + (N − df + 0.5) / (df + 0.5)): above 0, and largest where no document has it.

    Args:
        corpus: its N documents count whole, however long.
        tokenizer: of the queries; its marks are not added.
        vocabulary: how many tokens there are.

    Source: the table of the released code; BM25's IDF as Lucene has it.
    """
    found = np.zeros(vocabulary, np.int64)
    for start in range(0, len(corpus), BLOCK):
        texts = list(corpus.contents(range(start, min(start + BLOCK, len(corpus)))))
        for ids in tokenizer(texts, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]:
            found[np.unique(np.array(ids, np.int64))] += 1
    return torch.log1p(torch.from_numpy((len(corpus) - found + 0.5) / (found + 0.5))).float()
