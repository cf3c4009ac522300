"""Late interaction: each token of the query finds the token of the document that is most like it."""

import numpy as np

from tamis.model.vector import FloatArray


def max_sim(query: FloatArray, document: FloatArray) -> float:
    """The sum over the query's tokens of their best match among the document's.

    query: float32 [q_tokens, dim], unit rows.  document: float32 [d_tokens, dim], unit rows, at least one.
    Returns: higher is better, range [-q_tokens, q_tokens].  Cost: O(q * d * dim).
    Source: Khattab & Zaharia 2020, eq. 3.
    """
    best: FloatArray = (query @ document.T).max(axis=1)
    return float(np.sum(best, dtype=np.float64))
