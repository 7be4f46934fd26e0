"""A page to read the API on and to try it: Swagger UI, whose files are shipped with the package.

Invariant: it loads nothing from elsewhere, and its policy lets it load nothing from elsewhere. Its
files are the same everywhere and tell nothing of a server, so that they are given without a token;
the document is not, and the page asks for the token.
"""

from functools import partial
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

#: Where the page is.
PATH: Final = "/docs"
#: Its files, by their URL's path: where each is in ``static``, and what it is.
_FILES: Final = {
    PATH: ("docs.html", "text/html"),
    f"{PATH}/docs.css": ("docs.css", "text/css"),
    f"{PATH}/docs.js": ("docs.js", "text/javascript"),
    f"{PATH}/swagger-ui.css": ("swagger_ui/swagger-ui.css", "text/css"),
    f"{PATH}/swagger-ui-bundle.js": ("swagger_ui/swagger-ui-bundle.js", "text/javascript"),
}
#: All that needs no token.
OPEN: Final = frozenset({"/", *_FILES})
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_to(app: FastAPI) -> None:
    """Add the page, which is no operation of the API; so far, it is also what ``/`` leads to."""
    for path, (name, media_type) in _FILES.items():
        file = partial(_file, name=name, media_type=media_type)
        app.add_route(path, file, include_in_schema=False)
    app.add_route("/", _lead_to_the_page, include_in_schema=False)


def _file(_: Request, *, name: str, media_type: str) -> Response:
    content = files("leanbe_emitter.server").joinpath("static", name).read_bytes()
    return Response(content, headers={"Content-Security-Policy": _POLICY}, media_type=media_type)


def _lead_to_the_page(request: Request) -> Response:
    return RedirectResponse(request.app.state.root_path + PATH)
