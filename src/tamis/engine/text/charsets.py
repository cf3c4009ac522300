"""Bytes to text."""

import codecs
from email.message import Message

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(data: bytes, content_type: str | None) -> str:
    """By byte order mark, else the charset of the content type, else UTF-8.

    Raises: ValueError saying what is wrong.
    """
    header = Message()
    header["content-type"] = content_type or "text/plain"
    marked = next((charset for mark, charset in _MARKS if data.startswith(mark)), None)
    charset = marked or header.get_content_charset() or "utf-8"
    try:
        return data.decode(charset)
    except LookupError:
        raise ValueError(f"the file's charset {charset!r} is not known") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"the file is not text in {charset} (byte {error.start}); name its charset in the content type"
        ) from None
