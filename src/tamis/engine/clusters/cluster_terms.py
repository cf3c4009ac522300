"""Names of clusters from their own words, in any language.

A term counts for a cluster by how many of its documents have it, p, against how many of all, q: p ln(p / q), its part
of the Kullback-Leibler divergence (Carpineto et al. 2001). So what is everywhere names nothing, whatever the language,
and no list of stop words is needed.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

CHARACTERS = 2_000
"""Of one document that are read."""
DOCUMENTS = 100
"""Of one cluster that are read."""
_LONGEST = 40
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
# Thai to Khmer, kana and Han: scripts that write words without spaces between them.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


def terms_of(text: str) -> frozenset[str]:
    """Its words, of one case and one composition; of scripts without spaces, pairs of characters."""
    folded = unicodedata.normalize("NFKC", text[:CHARACTERS]).casefold()
    found = {word.rstrip("'’-") for word in _WORD.findall(_UNSPACED.sub(" ", folded)) if 1 < len(word) <= _LONGEST}
    for run in _UNSPACED.findall(folded):
        found.update(left + right for left, right in pairwise(run))
    return frozenset(found)


def leading_terms(clusters: Sequence[Sequence[str]], most: int) -> list[list[str]]:
    """For each cluster, given as texts, the terms that set it apart, the best first; ties by the term.

    Of one cluster alone it is those that most of its documents have.
    """
    counted = [Counter(term for text in texts[:DOCUMENTS] for term in terms_of(text)) for texts in clusters]
    sizes = [min(len(texts), DOCUMENTS) for texts in clusters]
    everywhere = sum(counted, Counter[str]())
    return [_leading(own, size, everywhere, sum(sizes), most) for own, size in zip(counted, sizes, strict=True)]


def _leading(own: Counter[str], size: int, everywhere: Counter[str], documents: int, most: int) -> list[str]:
    if size == documents:
        return _best(((own[term], term) for term in own), most)
    weights = ((_weight(count / size, everywhere[term] / documents), term) for term, count in own.items())
    return _best(((weight, term) for weight, term in weights if weight > 0), most)


def _weight(share: float, share_of_all: float) -> float:
    """Rounded, so that ties are ties on every machine."""
    return round(share * math.log(share / share_of_all), 9)


def _best(weighed: Iterable[tuple[float, str]], most: int) -> list[str]:
    return [term for _, term in sorted(weighed, key=lambda one: (-one[0], one[1]))[:most]]
