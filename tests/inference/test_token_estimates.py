"""The rule that counts tokens without a vocabulary, against the embedding model's own tokenizer."""

from pathlib import Path

import pytest

import tamis
from tamis.engine.text import tokens
from tamis.inference.models import LocalModels

SOURCE = Path(tamis.__file__).parent
GERMAN = (
    "Die Suche nach Dokumenten beginnt mit einer Frage, die jemand in eigenen Worten stellt. Danach werden ähnliche "
    "Abschnitte gefunden, sortiert und gekürzt, damit sie in den Rahmen des Modells passen."
)
FRENCH = (
    "La recherche commence par une question que l'on pose avec ses propres mots. Ensuite, des passages semblables sont "
    "trouvés, classés et raccourcis pour tenir dans la fenêtre du modèle."
)
RUSSIAN = "Поиск документов начинается с вопроса, который человек задаёт своими словами."
JAPANESE = "文書の検索は、人が自分の言葉で尋ねる質問から始まります。"


def _english() -> str:
    return "\n".join(path.read_text() for path in sorted(Path(__file__).parents[2].glob("docs/decisions/*.md")))


def _code() -> str:
    return "\n".join(path.read_text() for path in sorted((SOURCE / "engine" / "stages").glob("*.py")))


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (_english(), 1.0, 1.2),
        (_code(), 1.0, 1.2),
        (FRENCH, 0.85, 1.1),
        (GERMAN, 0.6, 1.0),
        (RUSSIAN, 0.9, 1.3),
        (JAPANESE, 0.9, 1.2),
    ],
    ids=["English", "Python", "French", "German", "Russian", "Japanese"],
)
def test_the_error_is_what_the_docs_say(models: LocalModels, text: str, least: float, most: float) -> None:
    real = len(models.embedder().spans(text))
    assert least <= tokens.count(text) / real <= most
