"""Checks of receivers: is this receiver right?

A secret in a request serves this one check, and no answer repeats it.
"""

from dataclasses import replace
from typing import Annotated

from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.clock import SystemClock
from leanbe_emitter.conformance.check_url import UrlCheck, Wanted
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.ids import Ids
from leanbe_emitter.library import Leanbe, Product
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.background_checks import BackgroundCheck
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import READING, WRITING, Routes
from leanbe_emitter.server.schemas import checks
from leanbe_emitter.server.schemas.field_types import Secret, Url
from leanbe_emitter.strict_model import StrictModel


class NewCheck(StrictModel):
    """A receiver, and what to check of it."""

    product: str | None = Field(
        default=None,
        description="Product whose receiver is checked: its name or id.",
        examples=["Acme"],
    )
    url: Url | None = Field(
        default=None,
        description="URL of the receiver, instead of a product.",
        examples=["http://127.0.0.1:8000/hooks/leanbe"],
    )
    secret: Secret | None = Field(
        default=None,
        description="Secret of the receiver; needed with `url`.",
        examples=["whsec_test"],
    )
    checks: list[str] = Field(
        default=[],
        description="Ids and globs of checks; by default, all of them.",
        examples=[["signature.*"]],
    )
    exclude: list[str] = Field(
        default=[], description="Ids and globs of checks to leave out.", examples=[["latency.*"]]
    )
    observe_url: Url | None = Field(
        default=None,
        description="URL that shows what the receiver stored, as JSON: a count will do. Without "
        "it, nothing is said about duplicates.",
        examples=["http://127.0.0.1:8000/effects"],
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on checks."""
    routes = Routes(app, leanbe, "Checks")
    background, settings, ids = app.state.checks, app.state.settings, Ids()

    @routes.add("POST", "/checks", returns=checks.BEGUN, errors=WRITING, status=202)
    def begin(new: Annotated[NewCheck, ModelBody(NewCheck)]) -> Response:
        """Check a receiver: is it right?

        The server sends right and forged events to the receiver, in the background. The report
        names each mistake, with the line to change. One check at a time runs for a receiver.
        The rules for targets are those of webhooks.
        """
        wanted, subject = _wanted(new, leanbe)
        check = BackgroundCheck(
            ids.object_id(SystemClock().now()),
            subject=subject,
            check=UrlCheck(wanted, settings=settings, rules=settings.target_rules),
        )
        background.begin(check)
        return responses.one({"_id": check.id}, status=202)

    @routes.read("/checks/{check}", returns=checks.CHECK)
    def show(check: str) -> Response:
        """Show a check: its state, and its report in the end."""
        return responses.one(background.get(check))

    @routes.add("DELETE", "/checks/{check}", returns=None, errors=READING, status=204)
    def end(check: str) -> Response:
        """End a check, and forget its report."""
        background.end(check)
        return responses.no_content()


def _wanted(new: NewCheck, leanbe: Leanbe) -> tuple[Wanted, str]:
    """Return what to check, and what one check at a time has: the product or the URL."""
    wanted, subject = _receiver(new, leanbe)
    return replace(
        wanted, checks=new.checks, exclude=new.exclude, observe_url=new.observe_url or ""
    ), subject


def _receiver(new: NewCheck, leanbe: Leanbe) -> tuple[Wanted, str]:
    if (new.product is None) == (new.url is None):
        raise InvalidValue("Name a product or a url.", hint="Give one of them.")
    if new.product is not None:
        product = leanbe.products.get(new.product)
        return _of_product(product, new.secret), product.id
    if new.secret is None:
        raise InvalidValue("A url needs a secret.", hint="Give the receiver's secret.")
    return Wanted(url=str(new.url), secret=new.secret), str(new.url)


def _of_product(product: Product, secret: str | None) -> Wanted:
    webhook = product.webhook
    if webhook.url is None or webhook.secret is None:
        raise Conflict(
            f"The product {product.name!r} has no URL.", hint=SET_WEBHOOK.between("Set one: ", ".")
        )
    return Wanted(
        url=webhook.url,
        secret=secret or webhook.secret,
        headers=tuple(webhook.headers),
        ca_file=webhook.ca_file,
        insecure=webhook.insecure,
        assume=dict(product.assumptions),
    )
