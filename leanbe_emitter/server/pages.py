"""The pages in a browser: ``/`` shows deliveries, and ``/docs`` is Swagger UI over the document.

Invariant: a page is a client of the API and can do nothing that the API cannot. Its files are the
same on every server and hold no data, so they need no token; ``/docs`` asks the user for the token
that the document needs. A page loads nothing from other hosts, and its policy lets in its own files
alone: no code that is written into a page, no evaluated text. ``/`` makes no HTML of texts, either.
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

_STATIC: Final = files("leanbe_emitter.server").joinpath("static")
#: Media types of the files that are served, by the ends of their names.
_MEDIA_TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "mjs": "text/javascript",
}
_IMPORT_MAP: Final = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)
#: The files of ``/docs`` by path. They are large and rarely asked for, so a request reads them.
_DOCS: Final = {
    "/docs": "docs.html",
    "/docs/docs.css": "docs.css",
    "/docs/docs.js": "docs.js",
    "/docs/swagger-ui.css": "swagger_ui/swagger-ui.css",
    "/docs/swagger-ui-bundle.js": "swagger_ui/swagger-ui-bundle.js",
}
_DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, kw_only=True)
class _File:
    content: bytes
    media_type: str
    etag: str


def _load(source: Traversable) -> _File:
    content = source.read_bytes()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    return _File(content=content, media_type=_media_type(source.name), etag=etag)


def _media_type(name: str) -> str:
    return _MEDIA_TYPES[name.rpartition(".")[2]]


def _files(folder: Traversable, prefix: str) -> dict[str, _File]:
    """Return the files below a folder by path, without licences and other texts."""
    found: dict[str, _File] = {}
    for each in folder.iterdir():
        if each.is_dir():
            found |= _files(each, f"{prefix}/{each.name}")
        elif each.name.rpartition(".")[2] in _MEDIA_TYPES and each.name != "index.html":
            found[f"{prefix}/{each.name}"] = _load(each)
    return found


#: The files of ``/`` by path.
_UI: Final = {
    "/": _load(_STATIC.joinpath("ui", "index.html")),
    **_files(_STATIC.joinpath("ui"), "/ui"),
}
#: Paths of both pages and of their files; they need no token.
PATHS: Final = frozenset({*_UI, *_DOCS})


def _policy(page: bytes) -> str:
    """Return the content policy: the page's import map is the only inline element, by its hash."""
    (import_map,) = _IMPORT_MAP.findall(page)
    digest = base64.b64encode(sha256(import_map).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; "
        "img-src data:; connect-src 'self'; frame-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


_UI_POLICY: Final = _policy(_UI["/"].content)


def add_routes(app: Starlette) -> None:
    """Add the pages and their files; they are no operations of the API."""
    for path, file in _UI.items():
        app.add_route(path, partial(_ui_file, file=file), include_in_schema=False)
    for path, name in _DOCS.items():
        app.add_route(path, partial(_docs_file, name=name), include_in_schema=False)


def _ui_file(request: Request, *, file: _File) -> Response:
    """Answer with a file, or with 304 if the browser has it: another version has another tag."""
    headers = {
        "Content-Security-Policy": _UI_POLICY,
        "Cache-Control": "no-cache",
        "ETag": file.etag,
    }
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


def _docs_file(_: Request, *, name: str) -> Response:
    headers = {"Content-Security-Policy": _DOCS_POLICY}
    content = _STATIC.joinpath(name).read_bytes()
    return Response(content, headers=headers, media_type=_media_type(name))
