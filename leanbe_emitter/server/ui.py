"""The page ``/``: deliveries, their evidence, and what people do with them, in a browser.

Invariant: the page is a client of the API and can do nothing that the API cannot. Its files are the
same on every server and hold no data, so they need no token. The policy lets in these files alone:
no code that is written into a page, no evaluated text, no HTML that is made of a text.
"""

import base64
import re
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

#: Path of the page.
PATH: Final = "/"
#: Media types of the files that are served, by the ends of their names.
_MEDIA_TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "mjs": "text/javascript",
}
#: The folder of the page's files, and the path below which they are served.
_FOLDER: Final = files("leanbe_emitter.server").joinpath("static", "ui")
_PREFIX: Final = "/ui"
_IMPORT_MAP: Final = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class _File:
    content: bytes
    media_type: str
    etag: str


def _load(source: Traversable) -> _File:
    content = source.read_bytes()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    return _File(
        content=content, media_type=_MEDIA_TYPES[source.name.rpartition(".")[2]], etag=etag
    )


def _files(folder: Traversable, prefix: str) -> dict[str, _File]:
    """Return the files below a folder by path, without licences and other texts."""
    found: dict[str, _File] = {}
    for each in folder.iterdir():
        if each.is_dir():
            found |= _files(each, f"{prefix}/{each.name}")
        elif each.name.rpartition(".")[2] in _MEDIA_TYPES and each.name != "index.html":
            found[f"{prefix}/{each.name}"] = _load(each)
    return found


_FILES: Final = {PATH: _load(_FOLDER.joinpath("index.html")), **_files(_FOLDER, _PREFIX)}
#: Paths of the page and of its files; they need no token.
PATHS: Final = frozenset(_FILES)


def _policy(page: bytes) -> str:
    """Return the content policy: the page's import map is the only inline element, by its hash."""
    (import_map,) = _IMPORT_MAP.findall(page)
    digest = base64.b64encode(sha256(import_map).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; "
        "img-src data:; connect-src 'self'; frame-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


_POLICY: Final = _policy(_FILES[PATH].content)


def add_routes(app: Starlette) -> None:
    """Add the page and its files; they are no operations of the API."""
    for path, file in _FILES.items():
        app.add_route(path, partial(_answer, file=file), include_in_schema=False)


def _answer(request: Request, *, file: _File) -> Response:
    """Answer with a file, or with 304 if the browser has it: another version has another tag."""
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "ETag": file.etag}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)
