"""Receivers to start from, as ``leanbe-emitter snippet NAME`` prints them.

Invariant: what is printed is what the tests run: these files are shipped, and are nowhere copied.
"""

from importlib.resources import files

_FILES = {
    "express": "express_receiver.js",
    "node": "node_receiver.js",
    "fastapi": "fastapi_receiver.py",
    "flask": "flask_receiver.py",
    "django": "django_receiver.py",
}

#: What a receiver can be written in.
NAMES = tuple(_FILES)


def snippet(name: str) -> str:
    """Return the text of a receiver; ``name`` is one of ``NAMES``."""
    return files(__name__).joinpath(_FILES[name]).read_text("utf-8")
