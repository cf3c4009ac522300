"""What a decoding worker can be asked: one line a task, `module:function`, imported by the first who asks.

A function takes `(path: Path, options: <frozen dataclass>, work: Path)` and answers a frozen dataclass.
"""

from collections.abc import Mapping

TASKS: Mapping[str, str] = {
    "pdf": "tamis.decoding.pdf:decode_pdf",
    "office": "tamis.decoding.office:decode_office",
    "text": "tamis.decoding.texts:decode_text",
    "page": "tamis.decoding.web_pages:decode_page",
    "sound": "tamis.decoding.sound:decode_sound",
    "video": "tamis.decoding.video:decode_video",
    "picture": "tamis.decoding.pictures:decode_picture",
}
