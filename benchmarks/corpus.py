"""A corpus of so many documents without texts, for work that starts from their vectors."""

import numpy as np


class Corpus:
    """What an index asks of a corpus."""

    fingerprint = "0" * 64

    def __init__(self, size: int) -> None:
        self._size = size
        self.id_rank = np.arange(size, dtype=np.int32)

    def __len__(self) -> int:
        return self._size
