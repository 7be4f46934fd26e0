"""Webhook settings: one URL and one secret for each product (contract c.1).

The first URL generates the secret. It stays when the URL changes or is cleared, and only ``rotate``
changes it. Every change first locks the product's row, as ``outbox.record`` does: so the settings
before the change or those after it apply to an event, and never a mix.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.lookup import deleted_meanwhile
from leanbe_emitter.domain.validation import check_text
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.header_rules import check_headers
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.outbox import cancel
from leanbe_emitter.storage.schema.tables import (
    DeliveryRow,
    ProductRow,
    RetiredSecretRow,
    WebhookRow,
)
from leanbe_emitter.target_rules import check_url
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions

#: How much of a file of authorities is searched for a certificate, in bytes.
_LONGEST_CA_FILE = 4 << 20
_CERTIFICATE = re.compile(rb"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----")

Headers = Iterable[tuple[str, str]]


def get(session: Session, product: ProductRow, *, anew: bool = False) -> WebhookRow:
    """Return a product's settings.

    Args:
        session: the session of a transaction.
        product: the product.
        anew: whether to read the settings again if this transaction has read them.

    Raises:
        NotFound: the product was deleted meanwhile.
    """
    row = session.get(WebhookRow, product.id, populate_existing=anew)
    if row is None:
        raise deleted_meanwhile(f"product {product.name!r}")
    return row


def set_url(  # noqa: PLR0913 - the settings of a webhook
    action: Action,
    product: ProductRow,
    url: str,
    *,
    secret: str | None = None,
    headers: Headers | None = None,
    ca_file: str | None = None,
    insecure: bool | None = None,
) -> WebhookRow:
    """Set the URL of a product's webhook and other settings. Settings without a value stay.

    Args:
        action: the action.
        product: the product.
        url: absolute, http or https.
        secret: a secret of the caller's own. Without one, the first URL generates a secret.
        headers: further headers of every request.
        ca_file: a PEM file of the authorities to trust instead of the system's.
        insecure: whether any certificate is accepted. False trusts the system's authorities again,
            or those of a file that is given with it.

    Raises:
        InvalidTarget: the URL must not be called.
        InvalidValue: a secret, a header or a file is refused, or both ``ca_file`` and ``insecure``
            are given.
    """
    row = _locked(action, product)
    assumptions = parse_assumptions(product.assumptions)
    url = check_url(url, action.rules, require_https=assumptions.require_https)
    is_changed = row.url is not None and row.url != url
    row.url = url
    if secret is not None:
        _use(action, row, check_secret(secret))
    elif row.secret is None or (is_changed and assumptions.regenerate_secret_on_url_change):
        _use(action, row, action.ids.secret())
    if headers is not None:
        row.headers = [list(each) for each in check_headers(headers)]
    _set_trust(row, ca_file=ca_file, insecure=insecure)
    row.updated_at = action.now_ms
    action.session.flush()
    return row


def rotate(action: Action, product: ProductRow, *, secret: str | None = None) -> WebhookRow:
    """Set a new secret for later events. Queued events keep their signatures (contract d-29).

    Raises:
        Conflict: the product has no secret yet.
        InvalidValue: the secret is refused.
    """
    row = _locked(action, product)
    if row.secret is None:
        raise Conflict(
            f"The product {product.name!r} has no secret yet.",
            hint=SET_WEBHOOK.between("It gets one with its first URL: ", "."),
        )
    _use(action, row, action.ids.secret() if secret is None else check_secret(secret))
    row.updated_at = action.now_ms
    action.session.flush()
    return row


def clear(action: Action, product: ProductRow) -> WebhookRow:
    """Remove the URL and cancel pending deliveries. The secret stays."""
    row = _locked(action, product)
    row.url, row.updated_at = None, action.now_ms
    action.session.flush()
    # A delivery in flight is cancelled when it settles, unless its attempt succeeds.
    cancel(action.session, DeliveryRow.product_id == product.id)
    return row


def secrets(session: Session) -> list[tuple[str, str]]:
    """Return all present and former secrets, each with a label: ``the secret of Acme``."""
    tables = (("the secret of", WebhookRow), ("an old secret of", RetiredSecretRow))
    return [
        (f"{what} {name}", secret)
        for what, table in tables
        for name, secret in session.execute(
            select(ProductRow.name, table.secret).join_from(ProductRow, table)
        )
        if secret is not None
    ]


def check_secret(secret: object) -> str:
    """Return the secret. No message ever shows it.

    Raises:
        InvalidValue: the secret is empty or no str, or no database can store it.
    """
    if not secret:
        raise InvalidValue("The secret is empty.", hint="Without a secret, one is generated.")
    if not isinstance(secret, str):
        raise InvalidValue(
            f"The secret is of type {type(secret).__name__}, not str.", hint="Give it as text."
        )
    try:
        return check_text(secret, what="secret")
    except InvalidValue:
        raise InvalidValue(
            "The secret holds a character that no database can hold.",
            hint="Leave out U+0000 and lone surrogates.",
        ) from None


def check_ca_file(ca_file: str) -> str:
    """Return the absolute path of a file of authorities.

    The error does not say whether the file is missing: a client of the server must not learn which
    files the machine has.

    Raises:
        InvalidValue: the file cannot be used.
    """
    path = Path(check_text(ca_file, what="name of a file"))
    try:
        path = path.expanduser().absolute()
        is_usable = path.is_file() and _has_certificate(path)
    except (OSError, RuntimeError):  # a name that is too long; a home of no user; no right
        is_usable = False
    if not is_usable:
        raise InvalidValue(
            f"{ca_file!r} cannot be used as a file of authorities.",
            hint="Name a PEM file that this user may read.",
        )
    return str(path)


def _has_certificate(path: Path) -> bool:
    with path.open("rb") as file:
        return _CERTIFICATE.search(file.read(_LONGEST_CA_FILE)) is not None


def _locked(action: Action, product: ProductRow) -> WebhookRow:
    action.lock(product)
    return get(action.session, product, anew=True)


def _use(action: Action, row: WebhookRow, secret: str) -> None:
    if row.secret is not None and row.secret != secret:
        action.session.add(
            RetiredSecretRow(product_id=row.product_id, secret=row.secret, retired_at=action.now_ms)
        )
    row.secret = secret


def _set_trust(row: WebhookRow, *, ca_file: str | None, insecure: bool | None) -> None:
    """Set whom to trust: the system's authorities, those of a file, or any certificate."""
    if ca_file is not None and insecure:
        raise InvalidValue(
            "A file of authorities and insecure contradict each other.", hint="Give one of them."
        )
    if ca_file is not None:
        row.ca_file, row.insecure = check_ca_file(ca_file), False
    elif insecure is not None:
        row.ca_file, row.insecure = None, insecure
