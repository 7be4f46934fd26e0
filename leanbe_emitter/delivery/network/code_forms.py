"""The forms of a request as code."""

from enum import StrEnum


class CodeForm(StrEnum):
    """The forms of a request as code."""

    #: A shell command with curl.
    CURL = "curl"
    #: The bytes of the request, with its head.
    HTTP = "http"
    #: A test of pytest, with the standard library only.
    PYTEST = "pytest"
    #: A test of Node.js, without packages.
    NODE = "node"
    #: A command of leanbe-emitter.
    COMMAND = "command"
