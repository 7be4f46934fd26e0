"""Hints of errors, in the words of each interface: Python, command line and HTTP.

An error does not know its reader. So a hint that names a call has the words of all interfaces.
The command line and the server show their own words; all others show the library's.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A call, or a sentence with one, in the words of each interface.

    Attributes:
        call: the text for Python.
        command: the text for the command line.
        request: the text for HTTP.
    """

    call: str
    command: str
    request: str

    @classmethod
    def same(cls, words: str) -> "Hint":
        """Return a hint with the same words for all interfaces."""
        return cls(call=words, command=words, request=words)

    def between(self, before: str, after: str) -> "Hint":
        """Return a sentence with this hint between two texts."""
        return Hint(
            call=f"{before}{self.call}{after}",
            command=f"{before}{self.command}{after}",
            request=f"{before}{self.request}{after}",
        )

    def then(self, other: "Hint") -> "Hint":
        """Return this hint followed by another one."""
        return Hint(
            call=f"{self.call} {other.call}",
            command=f"{self.command} {other.command}",
            request=f"{self.request} {other.request}",
        )


CREATE_PRODUCT = Hint(
    call="leanbe.products.create(name)",
    command="leanbe-emitter product create NAME",
    request="POST /api/v1/products",
)
SET_WEBHOOK = Hint(
    call="leanbe.webhooks.set(product, url)",
    command="leanbe-emitter webhook set URL --product P",
    request="PUT /api/v1/products/{product}/webhook",
)
LIST_DELIVERIES = Hint(
    call="leanbe.deliveries.list()",
    command="leanbe-emitter deliveries list",
    request="GET /api/v1/deliveries",
)
