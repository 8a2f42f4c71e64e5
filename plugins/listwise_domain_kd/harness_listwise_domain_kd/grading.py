"""Which documents a teacher's grades show to be no negatives."""

from jaxtyping import Bool, Float, Int
from torch import Tensor


def likely_positives(
    rows: Int[Tensor, "queries docs"], grades: Float[Tensor, "queries docs"], threshold: float
) -> Bool[Tensor, "queries all_docs"]:
    """Documents of the batch that are each query's positive, or in its own list with a grade near the best.

    Args:
        rows: which documents they are, the positive in column 0.
        grades: the teacher's, from 0 to 1.
        threshold: share of the list's best grade; above 1 only the positive itself is found, wherever it stands.
    """
    likely = grades > threshold * grades.amax(dim=1, keepdim=True)
    likely[:, 0] = True
    same = rows.unsqueeze(2) == rows.flatten()  # [query, place in its list, document of the batch]
    return (same & likely.unsqueeze(2)).any(dim=1)
