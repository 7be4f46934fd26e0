"""``leanbe.products``, and ``leanbe.assumptions``, the assumptions that were set for them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.domain import lookup, products, webhooks
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library.documents.announcements import Announcements
from leanbe_emitter.library.documents.backlog_items import BacklogItems
from leanbe_emitter.library.documents.customers import Customers
from leanbe_emitter.library.documents.documents_handle import COLLECTIONS
from leanbe_emitter.library.documents.idea_requests import IdeaRequests
from leanbe_emitter.library.documents.ideas import Ideas
from leanbe_emitter.library.documents.okrs import Okrs
from leanbe_emitter.library.documents.resources import Resource
from leanbe_emitter.library.documents.users import ProductUsers
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.library.setup.product import Product, ProductRef, Webhook
from leanbe_emitter.library.setup.seeds import Seeds
from leanbe_emitter.library.setup.webhooks import url_of
from leanbe_emitter.storage.schema.tables import ProductRow, WebhookRow
from leanbe_emitter.target_rules import Target


class Products:
    """The products of a database.

    Args:
        receivers: the receivers in this process.
        seeds: the seed file, which a reset plants again.
        abandon: cancels attempts in flight of deliveries that were deleted.
    """

    def __init__(
        self,
        transactions: Transactions,
        *,
        receivers: ReceiverRegistry,
        seeds: Seeds,
        abandon: Callable[[], object],
    ) -> None:
        self._transactions = transactions
        self._receivers = receivers
        self._seeds = seeds
        self._abandon = abandon

    def create(  # noqa: PLR0913 - what a product can be given at once
        self,
        name: str,
        *,
        webhook_url: str | None = None,
        webhook: object | None = None,
        path: str = "/",
        secret: str | None = None,
        headers: Iterable[tuple[str, str]] | None = None,
        ca_file: str | None = None,
        insecure: bool | None = None,
        owner: Mapping[str, str] | None = None,
        assume: Mapping[str, str] | None = None,
    ) -> Product:
        """Create a product.

        Args:
            name: a name that no other product has.
            webhook_url: the URL of the product's webhook.
            webhook: a receiver in this process instead: an ASGI or WSGI app, a framework's test
                client, or a function of one argument (a ``ReceivedRequest``).
            path: the path of the webhook in that receiver.
            secret: the signing secret; it needs a URL or a receiver. By default it is generated.
            headers: further headers of every request.
            ca_file: a PEM file of the certificate authorities to trust instead of the system's.
            insecure: whether any certificate is accepted.
            owner: ``email`` and ``first_name`` of the product's first user.
            assume: assumptions to set, by name.

        Raises:
            Conflict: there is a product of that name.
            InvalidTarget: the settings do not allow the URL.
            InvalidValue: a name, an assumption, a receiver or a webhook setting is refused, or a
                webhook setting is given without a webhook.
        """
        settings: dict[str, Any] = {
            "secret": secret,
            "headers": None if headers is None else tuple(headers),
            "ca_file": ca_file,
            "insecure": insecure,
        }
        has_webhook = webhook_url is not None or webhook is not None
        if not has_webhook and any(each is not None for each in settings.values()):
            raise InvalidValue(
                "Settings of a webhook were given without a webhook URL.",
                hint=SET_WEBHOOK.between("Give a webhook URL, too, or set them later: ", "."),
            )
        url = partial(
            url_of, url=webhook_url, webhook=webhook, path=path, receivers=self._receivers
        )
        return self._create(
            name, owner=owner, assume=assume, url=url if has_webhook else None, settings=settings
        )

    @one_transaction
    def _create(
        self,
        name: str,
        *,
        owner: Mapping[str, str] | None,
        assume: Mapping[str, str] | None,
        url: Callable[[ProductRow], str] | None,
        settings: Mapping[str, Any],
    ) -> Product:
        with self._transactions.acting() as action:
            row = products.create(action, name, owner=owner, assume=assume)
            if url is None:
                return self._snapshot(action.session, row)
            with_url = webhooks.set_url(action, row, url(row), **settings)
            return self._snapshot(action.session, row, webhook=with_url)

    def get(self, reference: ProductRef) -> Product:
        """Return the product of that name, id, or part of an id.

        Raises:
            NotFound: no product matches; the hint has the nearest name.
            InvalidValue: several products match.
        """
        with self._transactions.looking() as session:
            return self._snapshot(session, lookup.product(session, reference))

    def documents(self, collection: str, reference: str) -> Resource[Any, Any]:
        """Return a product's documents of one kind, such as ``ideas``, without looking it up now.

        Each call on the result looks the product up by its name, its id, or a part of the id, and
        raises what ``get`` raises.
        """
        return COLLECTIONS[collection](self._transactions, reference)

    def only(self) -> Product:
        """Return the only product.

        Raises:
            NotFound: there is no product.
            InvalidValue: there are several products.
        """
        with self._transactions.looking() as session:
            return self._snapshot(session, lookup.product(session, None))

    def list(self) -> list[Product]:
        """Return all products, in the order of their creation."""
        with self._transactions.looking() as session:
            return [self._snapshot(session, row) for row in products.listed(session)]

    def at(
        self, receiver: object, *, path: str | None = None, secret: str | None = None
    ) -> Product:
        """Return the product whose webhook is at a URL or a receiver in this process.

        If there is no such product, this call creates one with that webhook.

        Args:
            receiver: a URL, or a receiver as ``create`` takes it.
            path: the path of the webhook in a receiver in this process; any path by default.
            secret: the signing secret; generated for a new product by default.

        Raises:
            Conflict: the product has another secret.
            InvalidValue: several products match, or the receiver is no receiver.
            InvalidTarget: the settings do not allow the URL.
        """
        webhook_url = receiver if isinstance(receiver, str) else None
        url = webhook_url or self._receivers.url(receiver, path or "/")
        whole = webhook_url is not None or path is not None
        there = [each for each in self.list() if _is_at(each.webhook.url, url, whole=whole)]
        if len(there) > 1:
            names = ", ".join(repr(each.name) for each in there)
            raise InvalidValue(
                f"Several products have this webhook: {names}.", hint="Name one of them."
            )
        if there:
            return _signing_with(secret, there[0])
        webhook = receiver if webhook_url is None else None
        return self.create(
            f"Product for {url}",
            webhook_url=webhook_url,
            webhook=webhook,
            path=path or "/",
            secret=secret,
        )

    @one_transaction
    def rename(self, reference: ProductRef, name: str) -> Product:
        """Give a product another name. Later payloads have the new name.

        Raises:
            NotFound: there is no such product.
            Conflict: another product has that name.
        """
        with self._transactions.acting() as action:
            row = products.rename(action, lookup.product(action.session, reference), name)
            return self._snapshot(action.session, row)

    @one_transaction
    def set_statuses(self, reference: ProductRef, statuses: Sequence[str]) -> Product:
        """Set the statuses of backlog items, in order. A new item has the first status.

        Raises:
            NotFound: there is no such product.
            InvalidValue: the list is empty, or has a status twice.
            Conflict: a backlog item has a status that the list does not have.
        """
        with self._transactions.acting() as action:
            row = products.set_statuses(action, lookup.product(action.session, reference), statuses)
            return self._snapshot(action.session, row)

    @one_transaction
    def delete(self, reference: ProductRef) -> None:
        """Delete a product with its documents, events and deliveries, pending ones included.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.acting() as action:
            products.remove(action, lookup.product(action.session, reference))

    @one_transaction
    def reset(self, reference: ProductRef) -> Product:
        """Delete a product's documents, events, deliveries and faults.

        The product keeps its name, webhook, assumptions, statuses and users. The documents that the
        database's seed file has for a product of this name are planted again. Attempts in flight
        are cancelled in this process; those of other processes change nothing any more.

        Raises:
            Conflict: a transaction is open, or the seed file does not fit the product's settings.
            NotFound: there is no such product.
        """
        self._transactions.require_none("Resetting a product")
        with self._transactions.acting() as action:
            row = lookup.product(action.session, reference)
            products.empty(action, row)
            self._seeds.replant_product(action.session, row)
            product = self._snapshot(action.session, row)
        self._abandon()
        return product

    def _snapshot(
        self, session: Session, row: ProductRow, *, webhook: WebhookRow | None = None
    ) -> Product:
        """Take a snapshot; look up the webhook's row unless the caller passes it."""
        own = (self._transactions, row.id)
        return Product(
            id=row.id,
            name=row.name,
            webhook=Webhook.of(webhook or webhooks.get(session, row)),
            assumptions=dict(row.assumptions),
            statuses=tuple(row.statuses),
            created_at=from_milliseconds(row.created_at),
            updated_at=from_milliseconds(row.updated_at),
            users=ProductUsers(*own),
            customers=Customers(*own),
            ideas=Ideas(*own),
            idea_requests=IdeaRequests(*own),
            backlog_items=BacklogItems(*own),
            okrs=Okrs(*own),
            announcements=Announcements(*own),
        )


def _signing_with(secret: str | None, product: Product) -> Product:
    if secret not in {None, product.webhook.secret}:
        raise Conflict(
            f"The product {product.name!r} exists already, and has another secret.",
            hint="Leave the secret out, or set it first: webhooks.rotate(product, secret=...).",
        )
    return product


def _is_at(webhook_url: str | None, url: str, *, whole: bool) -> bool:
    """Return whether a webhook has a URL or, unless ``whole``, any path of the same app."""
    if webhook_url is None or whole:
        return webhook_url == url
    return Target.of(webhook_url).authority == Target.of(url).authority


class Assumptions:
    """The assumptions that were set for products."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @one_transaction
    def set(self, name: str, value: str, *, product: ProductRef | None = None) -> str:
        """Set an assumption of a product; return the canonical text of its value.

        Args:
            name: the assumption.
            value: the text of a value.
            product: the product; by default the only one.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such assumption, or it does not take this value.
        """
        with self._transactions.acting() as action:
            return products.set_assumption(
                action, lookup.product(action.session, product), name, value
            )

    @one_transaction
    def unset(self, name: str, *, product: ProductRef | None = None) -> None:
        """Set an assumption back to its default.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is no such assumption.
        """
        with self._transactions.acting() as action:
            products.unset_assumption(action, lookup.product(action.session, product), name)

    def of(self, product: ProductRef | None = None) -> dict[str, str]:
        """Return the assumptions that were set for a product, as canonical texts.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.looking() as session:
            return dict(lookup.product(session, product).assumptions)
