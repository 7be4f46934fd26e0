"""Hooks for schemathesis, loaded by its settings: what it must know beside the OpenAPI document.

The hooks point every webhook at our own receiver, so that no other host is called. They make every
wait end at once, and leave every customer in its product.
"""

import os
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from schemathesis.core import NotSet

#: URL of all webhooks.
RECEIVER = os.environ["PROMISES_RECEIVER"]
_WAIT = "/api/v1/deliveries/wait"
_RESET = "/api/v1/reset"
_CUSTOMER = "/customers/{reference}"
_ACME: dict[str, Any] = {"name": "Acme", "webhook": {"url": RECEIVER, "secret": "whsec_test"}}


@schemathesis.hook
def before_call(
    _: schemathesis.HookContext, case: schemathesis.Case[Any], __: dict[str, Any]
) -> None:
    """Change a request before it is sent."""
    body = case.body
    if case.operation.path == _WAIT and isinstance(body, NotSet):
        case.body = {"timeout": 0}
    elif case.operation.path == _WAIT and isinstance(body, dict) and _is_long(body):
        body["timeout"] = 0
    elif case.operation.path.endswith(_CUSTOMER) and isinstance(body, dict):
        _keep_customer(body, product=case.path_parameters["product"])
    elif isinstance(body, dict):
        for webhook in (body, body.get("webhook")):
            if isinstance(webhook, dict) and _is_url(webhook.get("url")):
                webhook["url"] = RECEIVER


@schemathesis.hook
def after_call(
    _: schemathesis.HookContext, case: schemathesis.Case[Any], answer: schemathesis.Response
) -> None:
    """Create the product again after a reset, because all requests need it."""
    if case.operation.path == _RESET and answer.status_code == HTTPStatus.NO_CONTENT:
        url = str(answer.request.url).removesuffix("reset") + "products"
        headers = {"Authorization": answer.request.headers["Authorization"]}
        created = requests.post(url, json=_ACME, headers=headers, timeout=30)
        # Another server on the same database may have been asked to reset it, too.
        if created.status_code != HTTPStatus.CONFLICT:
            created.raise_for_status()


def _keep_customer(body: dict[str, Any], *, product: Any) -> None:
    """Leave a customer in the product of the path, which would lose it to the named ones.

    No schema says that a customer is gone then, and that it belongs to at least one product.
    """
    products = body.get("products")
    if isinstance(products, list) and all(isinstance(each, str) for each in products):
        body["products"] = [*products, product]


def _is_long(body: dict[str, Any]) -> bool:
    timeout = body.get("timeout", 1)
    return isinstance(timeout, int | float) and timeout > 0


def _is_url(value: object) -> bool:
    try:
        return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"}
    except ValueError:
        return False
