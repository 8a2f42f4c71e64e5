"""The one place where chance is seeded."""

import random
import sys
from typing import Any

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed Python's, numpy's and, where it is loaded, torch's generators.

    A plugin draws from its own generator seeded with `Context.seed`; this is for libraries that use global ones.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
