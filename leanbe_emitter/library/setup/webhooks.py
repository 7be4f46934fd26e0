"""``leanbe.webhooks``: where the events of products go, and what they are signed with."""

from collections.abc import Iterable

from leanbe_emitter.delivery.in_process.receivers import Receivers
from leanbe_emitter.domain import webhooks
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library.runtime.references import product_row
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import ProductRef, Webhook
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.lookup import read


class Webhooks:
    """The webhook settings of products (contract c.1)."""

    def __init__(self, transactions: Transactions, *, receivers: Receivers) -> None:
        self._transactions = transactions
        self._receivers = receivers

    def set(  # noqa: PLR0913 - the settings that a webhook has
        self,
        product: ProductRef,
        url: str | None = None,
        *,
        webhook: object | None = None,
        path: str = "/",
        secret: str | None = None,
        headers: Iterable[tuple[str, str]] | None = None,
        ca_file: str | None = None,
        insecure: bool | None = None,
    ) -> Webhook:
        """Set where a product's events go from now on; what is left out stays as it is.

        Args:
            product: whose webhook it is.
            url: absolute, http or https.
            webhook: a receiver in this process instead of a URL, as for a new product.
            path: where in that receiver the webhook is.
            secret: a secret of the caller's own; generated where there is none yet.
            headers: further headers of every request; an empty list for none.
            ca_file: a PEM file of the authorities to trust instead of the system's.
            insecure: whether any certificate will do; False: the system's authorities, or those of
                the file that is given with it, are trusted again.

        Raises:
            NotFound: there is no such product.
            InvalidTarget: the URL must not be called.
            InvalidValue: a receiver, a secret, a header or a file that is refused, both a file
                and ``insecure``, or not just one of URL and receiver.
        """
        with self._transactions.acting() as action:
            named_row = product_row(action.session, product)
            row = webhooks.set_url(
                action,
                named_row,
                url_of(named_row, url, webhook, path, receivers=self._receivers),
                secret=secret,
                headers=headers,
                ca_file=ca_file,
                insecure=insecure,
            )
            return Webhook.of(row)

    def rotate(self, product: ProductRef, *, secret: str | None = None) -> Webhook:
        """Sign with another secret from now on; what is queued keeps its signature.

        Raises:
            NotFound: there is no such product.
            Conflict: it has no secret yet.
        """
        with self._transactions.acting() as action:
            row = webhooks.rotate(action, product_row(action.session, product), secret=secret)
            return Webhook.of(row)

    def clear(self, product: ProductRef) -> Webhook:
        """Stop deliveries: the URL goes, the secret stays, what is pending is cancelled.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.acting() as action:
            return Webhook.of(webhooks.clear(action, product_row(action.session, product)))

    def secrets(self) -> list[tuple[str, str]]:
        """Return every secret that is or was used, each with what it is, for ``wire.explain``."""
        with self._transactions.looking() as session:
            return webhooks.secrets(session)


def url_of(
    row: ProductRow, url: str | None, webhook: object | None, path: str, *, receivers: Receivers
) -> str:
    """Return where a product's events go: the URL that was given, or the receiver's address.

    Raises:
        InvalidValue: both are given, or none, or what is given is no receiver.
    """
    if (url is None) == (webhook is None):
        raise InvalidValue(
            "A webhook goes to a URL or to a receiver in this process: give one of them.",
            hint="webhook_url='http://localhost:8000/hook', or webhook=app and path='/hook'.",
        )
    if url is not None:
        return url
    scheme = "https" if read(row.assumptions).require_https else "http"
    return receivers.url(webhook, path, scheme=scheme)
