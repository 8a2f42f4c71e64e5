"""Models of random weights, small enough to be made anew in a test; nothing is downloaded."""

from pathlib import Path
from typing import Any


def tiny_causal_lm(folder: Path, *, context: int = 512, seed: int = 0) -> str:
    """Write a Llama of two layers that reads bytes; its outputs depend strongly on every input.

    Args:
        folder: where it is written.
        context: the most tokens that it reads.
        seed: its weights come from it.

    Returns:
        The folder's name, which any `from_pretrained` takes.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _byte_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def tiny_cross_encoder(folder: Path, *, labels: int = 1, seed: int = 0) -> str:
    """Write a CrossEncoder of two layers; its outputs depend strongly on every input.

    Args:
        folder: where it is written.
        labels: how many outputs it has.
        seed: its weights come from it.

    Returns:
        The folder's name.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = _letter_tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=256,
        initializer_range=0.5,
        num_labels=labels,  # pyright: ignore[reportCallIssue] - the base class takes it
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def _letter_tokenizer() -> Any:
    """A token for each letter, digit or sign, in lower case, and for words that the contracts' endless texts repeat.

    To cut two endless texts together takes time that grows with the square of their tokens.
    """
    from string import ascii_lowercase, digits, punctuation

    from transformers import BertTokenizer

    marks = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    letters = ascii_lowercase + digits
    words = ("bread", "star", "number", "shines", "faintly")
    tokens = [*marks, *punctuation, *letters, *(f"##{letter}" for letter in letters), *words]
    return BertTokenizer(vocab={token: number for number, token in enumerate(tokens)}, model_max_length=256)


def _byte_tokenizer() -> Any:
    """A token for each byte, so that every text can be read."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bytewise = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=bytewise, bos_token="<s>", eos_token="</s>")
