"""How a search by meaning and by words becomes one where nobody says otherwise.

Chosen on half of the queries of SciFact and Chorus, and measured on the others, in `benchmarks/quality.py`.
"""

from typing import Final

HYBRID_FUSION: Final = "dbsf"
BY_MEANING: Final = 0.4
BY_WORDS: Final = 0.6
"""Weights: their sum is 1."""
