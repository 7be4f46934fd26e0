"""Receivers to start from, as ``leanbe-emitter snippet NAME`` prints them.

Invariant: the command prints the files that the tests run. They are part of the package and are not
copied anywhere.
"""

from importlib.resources import files

_FILES = {
    "express": "express_receiver.js",
    "node": "node_receiver.js",
    "fastapi": "fastapi_receiver.py",
    "flask": "flask_receiver.py",
    "django": "django_receiver.py",
}

#: Names of the receivers: a framework or Node.js.
NAMES = tuple(_FILES)


def snippet(name: str) -> str:
    """Return the text of a receiver; ``name`` is one of ``NAMES``."""
    return files(__name__).joinpath(_FILES[name]).read_text("utf-8")
