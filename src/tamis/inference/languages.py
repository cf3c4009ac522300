"""Which language a text is in, as far as stemming needs to know: by script, and among Latin ones by function words."""

from collections.abc import Set

# Few and frequent words of each language; those that many of them share say little and are mostly left out.
_FUNCTION_WORDS = {
    "english": "the of and to is are was were be been that this these those with for from by on at as it its or an "
    "not which have has had can will would how what when where who why does do did into than their they we you i a in",
    "german": "der die das und ist sind war ein eine einen einem einer nicht mit für auf von zu zum zur den dem des "
    "im auch wie wird werden sich aus bei nach oder wenn ich wir sie es dass",
    "french": "le la les des du un une et est sont dans pour sur avec que qui ne pas au aux ce cette ces par plus il "
    "elle nous vous je ou où en de",
    "spanish": "el la los las un una y es son en del al que por para con no se su sus lo como más pero o este esta "
    "está hay muy de",
    "italian": "il lo la gli le un una e è sono di del della dei delle che per con non si da nel nella al alla come "
    "più ma anche questo questa",
    "portuguese": "o os as um uma e é são do da dos das em no na nos nas que por para com não se ao à mais como mas "
    "foi este esta de",
    "dutch": "de het een en is zijn van op te dat die voor met niet aan er om ook als bij naar maar uit wordt heeft "
    "hebben ik wij",
    "swedish": "och att det som en ett är på av för med den till inte de om var har han hon jag vi från kan eller men",
    "danish": "og at det som en et er på af for med den til ikke de om var har han hun jeg vi fra kan eller men",
    "norwegian": "og at det som en et er på av for med den til ikke de om var har han hun jeg vi fra kan eller men",
    "finnish": "ja on ei se että oli ovat mutta kun niin myös hän tai joka ole olla mitä jos sen voi",
    "turkish": "ve bir bu için ile da de çok ne gibi daha olan olarak ama mi değil var ki en o",
    "indonesian": "dan yang di dari untuk dengan ini itu adalah pada tidak ke dalam akan juga oleh atau kami saya",
    "polish": "i w na z do się nie to jest że o jak po za dla od przez są ale który jego",
    "yoruba": "ni ti àti ń fún tí sí pé kò wọ́n náà láti nínú jẹ́ ṣe ó mo wa rẹ̀ àwọn lọ bá gbogbo ati awọn naa lati jẹ",
}
STOP_WORDS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
LATIN = tuple(STOP_WORDS)
DEFAULT = "english"

_CODES = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish", "yo": "yoruba",
}  # fmt: skip

# First and last code point of a script's main blocks, and the language that its words are stemmed as.
_SCRIPTS = (
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "russian"),
    (0x0531, 0x058F, "armenian"),
    (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"),
    (0x0900, 0x097F, "hindi"),
    (0x0B80, 0x0BFF, "tamil"),
    (0x1F00, 0x1FFF, "greek"),
)
_OTHER_SCRIPT = ""
_LATIN_ENDS = 0x024F
_LATIN_ADDITIONAL = range(0x1E00, 0x1F00)


def language_named(name: str) -> str:
    """`de`, `de-AT`, `German` all name `german`; what is not known stands for itself, and is not stemmed."""
    plain = name.strip().lower().replace("_", "-")
    return _CODES.get(plain) or _CODES.get(plain.split("-")[0]) or plain


def language_of_script(word: str) -> str | None:
    """What a word not in Latin letters is stemmed as ("" for not at all); None where it is in Latin letters."""
    first = ord(word[0])
    if first <= _LATIN_ENDS or first in _LATIN_ADDITIONAL:
        return None
    return next((language for low, high, language in _SCRIPTS if low <= first <= high), _OTHER_SCRIPT)


def detect_latin(words: Set[str]) -> str | None:
    """The Latin-script language whose function words are most among these; None where two or none stand out."""
    found = sorted(((len(words & stops), language) for language, stops in STOP_WORDS.items()), reverse=True)
    (most, best), (second, _) = found[0], found[1]
    enough = 1 if len(words) <= 4 else 2
    return best if most >= enough and most > second else None
