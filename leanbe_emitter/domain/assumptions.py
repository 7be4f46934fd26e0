"""The assumptions of a product: only what somebody set is stored (contract d)."""

from leanbe_emitter.domain.action import Action
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.lookup import assumption, check


def set_to(action: Action, product: ProductRow, name: str, text: str) -> str:
    """Set a switch; return the canonical text of its value.

    Raises:
        InvalidValue: there is no such switch, or it has no such value.
    """
    value = check(name, text)
    action.lock(product)
    _store(action, product, {**product.assumptions, name: value})
    return value


def unset(action: Action, product: ProductRow, name: str) -> None:
    """Go back to the article's reading.

    Raises:
        InvalidValue: there is no such switch.
    """
    name = assumption(name).name
    action.lock(product)
    rest = {key: value for key, value in product.assumptions.items() if key != name}
    _store(action, product, rest)


def _store(action: Action, product: ProductRow, texts: dict[str, str]) -> None:
    if texts != product.assumptions:
        product.assumptions, product.updated_at = texts, action.now_ms
        action.session.flush()
