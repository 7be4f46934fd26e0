"""The page ``/docs``: Swagger UI over the OpenAPI document, with all files in the package.

Invariant: the page loads nothing from other hosts, and its policy forbids it. The files are the
same on every server and hold no data, so they need no token. The document needs the token, and the
page asks the user for it.
"""

from functools import partial
from importlib.resources import files
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

#: Path of the page.
PATH: Final = "/docs"
#: Files of the page by path: name below ``static``, and media type.
_FILES: Final = {
    PATH: ("docs.html", "text/html"),
    f"{PATH}/docs.css": ("docs.css", "text/css"),
    f"{PATH}/docs.js": ("docs.js", "text/javascript"),
    f"{PATH}/swagger-ui.css": ("swagger_ui/swagger-ui.css", "text/css"),
    f"{PATH}/swagger-ui-bundle.js": ("swagger_ui/swagger-ui-bundle.js", "text/javascript"),
}
#: Paths of the page and of its files; they need no token.
PATHS: Final = frozenset(_FILES)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_routes(app: Starlette) -> None:
    """Add the page and its files; they are no operations of the API."""
    for path, (name, media_type) in _FILES.items():
        file = partial(_file, name=name, media_type=media_type)
        app.add_route(path, file, include_in_schema=False)


def _file(_: Request, *, name: str, media_type: str) -> Response:
    content = files("leanbe_emitter.server").joinpath("static", name).read_bytes()
    return Response(content, headers={"Content-Security-Policy": _POLICY}, media_type=media_type)
