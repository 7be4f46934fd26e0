"""``leanbe.products``: making, naming, finding and ending them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.delivery.in_process.receivers import Receivers
from leanbe_emitter.domain import named_products, products, webhooks
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library.documents.announcements import Announcements
from leanbe_emitter.library.documents.backlog_items import BacklogItems
from leanbe_emitter.library.documents.customers import Customers
from leanbe_emitter.library.documents.idea_requests import IdeaRequests
from leanbe_emitter.library.documents.ideas import Ideas
from leanbe_emitter.library.documents.okrs import Okrs
from leanbe_emitter.library.documents.resources import Resource
from leanbe_emitter.library.documents.users import ProductUsers
from leanbe_emitter.library.runtime.references import product_row
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import Product, ProductRef, Webhook
from leanbe_emitter.library.setup.seeds import Seeds
from leanbe_emitter.library.setup.webhooks import url_of
from leanbe_emitter.storage.schema.tables import ProductRow, WebhookRow
from leanbe_emitter.targets import Target

#: One of the six kinds that a product has.
Documents = TypeVar("Documents", bound=Resource[Any, Any])


class Products:
    """The products of a database.

    Args:
        receivers: those in this process.
        seeds: plant what a product is to begin with again.
        abandon: breaks off what workers here have in flight and is there no more.
    """

    def __init__(
        self,
        transactions: Transactions,
        *,
        receivers: Receivers,
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
        """Make a product; with a URL, its secret is generated unless one is given.

        Args:
            name: unique among products.
            webhook_url: where its events go.
            webhook: a receiver in this process instead: an ASGI or WSGI app, a framework's test
                client, or a function of one argument (a ``ReceivedRequest``).
            path: where in that receiver the webhook is.
            secret: a secret of the caller's own; it needs a URL or a receiver.
            headers: further headers of every request.
            ca_file: a PEM file of the authorities to trust instead of the system's.
            insecure: whether any certificate will do.
            owner: ``email`` and ``first_name`` of its first user.
            assume: assumptions to set, by name (contract d).

        Raises:
            Conflict: there is a product of that name.
            InvalidTarget: the URL must not be called.
            InvalidValue: a name, an assumption, a receiver, or a setting of a webhook that is
                refused, or that is given without a webhook.
        """
        settings: dict[str, Any] = {
            "secret": secret,
            "headers": headers,
            "ca_file": ca_file,
            "insecure": insecure,
        }
        is_wired = webhook_url is not None or webhook is not None
        if not is_wired and any(each is not None for each in settings.values()):
            raise InvalidValue(
                "Settings of a webhook were given, and no webhook URL to use them for.",
                hint=SET_WEBHOOK.between("Give a webhook URL, too, or set them later: ", "."),
            )
        with self._transactions.acting() as action:
            row = products.create(action, name, owner=owner, assume=assume)
            if not is_wired:
                return self._snapshot(action.session, row)
            url = url_of(row, webhook_url, webhook, path, receivers=self._receivers)
            wired = webhooks.set_url(action, row, url, **settings)
            return self._snapshot(action.session, row, wired=wired)

    def get(self, reference: ProductRef) -> Product:
        """Return the product of that name, id, or part of an id.

        Raises:
            NotFound: there is none; the hint names the nearest.
            InvalidValue: there are several.
        """
        with self._transactions.looking() as session:
            return self._snapshot(session, product_row(session, reference))

    def documents(self, kind: type[Documents], reference: str) -> Documents:
        """Return the way to a product's documents of one kind, as a snapshot of it has them.

        The product is looked up with each call, by its name, its id, or a part of the id; a call
        raises what ``get`` does.
        """
        return kind(self._transactions, reference)

    def only(self) -> Product:
        """Return the one product there is.

        Raises:
            NotFound: there is none.
            InvalidValue: there are several.
        """
        with self._transactions.looking() as session:
            return self._snapshot(session, named_products.only(session))

    def list(self) -> list[Product]:
        """Return all products, in the order of their creation."""
        with self._transactions.looking() as session:
            return [self._snapshot(session, row) for row in products.listed(session)]

    def at(
        self, receiver: object, *, path: str | None = None, secret: str | None = None
    ) -> Product:
        """Return the product whose webhook is at a URL or a receiver in this process.

        Where there is none, one is made, with that webhook.

        Args:
            receiver: a URL, or what ``create`` takes as a webhook.
            path: where in a receiver in this process; anywhere, if it is left out.
            secret: what it is signed with; if it is left out, a new product has one of its own.

        Raises:
            Conflict: the product that is there has another secret.
            InvalidValue: there are several, or it is no receiver.
            InvalidTarget: the URL must not be called.
        """
        webhook_url = receiver if isinstance(receiver, str) else None
        url = webhook_url or self._receivers.url(receiver, path or "/")
        whole = webhook_url is not None or path is not None
        there = [each for each in self.list() if _is_at(each.webhook.url, url, whole=whole)]
        if len(there) > 1:
            names = ", ".join(repr(each.name) for each in there)
            raise InvalidValue(
                f"The webhooks of several products are there: {names}.", hint="Name one of them."
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

    def rename(self, reference: ProductRef, name: str) -> Product:
        """Give a product another name; later payloads show it.

        Raises:
            NotFound: there is no such product.
            Conflict: another product has that name.
        """
        with self._transactions.acting() as action:
            row = products.rename(action, product_row(action.session, reference), name)
            return self._snapshot(action.session, row)

    def set_statuses(self, reference: ProductRef, statuses: Sequence[str]) -> Product:
        """Set what a backlog item's status can be, in order; the first is where an item begins.

        Raises:
            NotFound: there is no such product.
            InvalidValue: there is none, or one twice.
            Conflict: a backlog item has a status that is not among them.
        """
        with self._transactions.acting() as action:
            row = products.set_statuses(action, product_row(action.session, reference), statuses)
            return self._snapshot(action.session, row)

    def delete(self, reference: ProductRef) -> None:
        """Delete a product and all that hangs on it, queued deliveries included.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.acting() as action:
            products.remove(action, product_row(action.session, reference))

    def reset(self, reference: ProductRef) -> Product:
        """Delete what a product has, faults that are meant for it too; it keeps its settings.

        Those are name, webhook, assumptions, statuses and users. What the database's seed file has
        of a product of this name is there again. What is in flight is broken off here, and changes
        nothing any more elsewhere.

        Raises:
            Conflict: a transaction is open, or what the seed file has does not fit the settings.
            NotFound: there is no such product.
        """
        self._transactions.require_none("Resetting a product")
        with self._transactions.acting() as action:
            row = product_row(action.session, reference)
            products.empty(action, row)
            self._seeds.replant_product(action.session, row)
            product = self._snapshot(action.session, row)
        self._abandon()
        return product

    def _snapshot(
        self, session: Session, row: ProductRow, *, wired: WebhookRow | None = None
    ) -> Product:
        """Take a snapshot; the webhook's row is looked up unless the caller has it."""
        own = (self._transactions, row.id)
        return Product(
            id=row.id,
            name=row.name,
            webhook=Webhook.of(wired or webhooks.get(session, row)),
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
            f"The product {product.name!r} is there already, and has another secret.",
            hint="Leave the secret out, or set it first: webhooks.rotate(product, secret=...).",
        )
    return product


def _is_at(webhook_url: str | None, url: str, *, whole: bool) -> bool:
    """Say whether a webhook is at a URL or, if that is not all of it, anywhere in its app."""
    if webhook_url is None or whole:
        return webhook_url == url
    return Target.of(webhook_url).authority == Target.of(url).authority
