"""A student with few words."""

from typing import Any

import pytest
import torch

from harness.testing.topics import FORMS, TOPICS


@pytest.fixture(scope="session")
def few_words(bare_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bare encoder with no other words than those of the small world: a softmax over 30,522 takes its time."""
    from transformers import AutoModel, AutoTokenizer, BertTokenizer

    folder = tmp_path_factory.mktemp("few-words")
    kept = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *dict.fromkeys(" ".join((*TOPICS, *FORMS)).split())]
    kept += ["question", "tell", "me", "something"]
    rows = AutoTokenizer.from_pretrained(bare_encoder).convert_tokens_to_ids(kept)
    model: Any = AutoModel.from_pretrained(bare_encoder, add_pooling_layer=False)
    words = model.embeddings.word_embeddings.weight[rows].detach()
    model.embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(words, freeze=False, padding_idx=0)
    model.config.vocab_size = len(kept)
    model.save_pretrained(folder)
    BertTokenizer(vocab={token: number for number, token in enumerate(kept)}).save_pretrained(folder)
    return str(folder)
