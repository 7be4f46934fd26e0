"""Compression of large answers, for clients that accept it.

Only lists of rows are compressed: they are asked for often, and shrink to a tenth. Their texts are
titles and names; no secret of the server is beside text that somebody else chose.
"""

import zlib
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

#: The fastest level: on rows, the slowest gains a fifth, and takes eight times as long.
_LEVEL: Final = 1
#: The window of zlib for the format of gzip.
_GZIP: Final = 16 + zlib.MAX_WBITS


def compressed(response: Response, request: Request) -> Response:
    """Compress a response's body by gzip, if the client of the request accepts that."""
    response.headers["Vary"] = "Accept-Encoding"
    if not _accepts_gzip(request.headers.get("accept-encoding", "")):
        return response
    encoder = zlib.compressobj(_LEVEL, wbits=_GZIP)
    response.body = encoder.compress(response.body) + encoder.flush()
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Encoding"] = "gzip"
    return response


def _accepts_gzip(header: str) -> bool:
    for each in header.lower().replace(" ", "").split(","):
        name, _, weight = each.partition(";q=")
        if name == "gzip":
            return not weight or weight.strip("0.") != ""
    return False
