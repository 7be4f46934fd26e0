"""Receivers to start from: the files that ``leanbe-emitter snippet`` prints."""

from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.problems import lookup_in_path
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.snippets import MEANINGS, snippet


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operation on snippets."""
    routes = Routes(app, leanbe, "Server")

    @routes.read("/snippets/{name}", returns=setup.SNIPPET)
    def show(name: str) -> Response:
        """Show a correct receiver to start from. It reads its secret from the environment."""
        text = lookup_in_path(snippet, name)
        return responses.one({"name": name, "meaning": MEANINGS[name], "text": text})
