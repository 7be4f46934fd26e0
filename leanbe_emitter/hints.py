"""How something is done, in the words of each surface: for hints, which any of them may show.

Whoever raises an error does not know who reads it. Where its hint names something to do, it holds
the words of all three; the command line and the server show theirs, and all others the library's.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A thing to do, or a sentence that names one.

    Attributes:
        call: in Python.
        command: on the command line.
        request: over HTTP.
    """

    call: str
    command: str
    request: str

    @classmethod
    def same(cls, words: str) -> "Hint":
        """Return what is said alike on all surfaces."""
        return cls(call=words, command=words, request=words)

    def between(self, before: str, after: str) -> "Hint":
        """Return a sentence that names this."""
        return Hint(
            call=f"{before}{self.call}{after}",
            command=f"{before}{self.command}{after}",
            request=f"{before}{self.request}{after}",
        )

    def then(self, other: "Hint") -> "Hint":
        """Return this and another sentence behind it."""
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
    command="leanbe-emitter webhook set P URL",
    request="PUT /api/v1/products/{product}/webhook",
)
LIST_DELIVERIES = Hint(
    call="leanbe.deliveries.list()",
    command="leanbe-emitter deliveries list",
    request="GET /api/v1/deliveries",
)
