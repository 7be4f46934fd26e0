"""Assumptions of a product. Only those that somebody set are stored (contract d)."""

from leanbe_emitter.domain.action import Action
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.catalogue import assumption
from leanbe_emitter.wire.assumptions.parsing import check_assumption


def set_to(action: Action, product: ProductRow, name: str, text: str) -> str:
    """Set an assumption, and return the canonical text of its value.

    Raises:
        InvalidValue: the assumption does not exist, or has not take this value.
    """
    value = check_assumption(name, text)
    action.lock(product)
    _store(action, product, {**product.assumptions, name: value})
    return value


def unset(action: Action, product: ProductRow, name: str) -> None:
    """Reset an assumption to its default.

    Raises:
        InvalidValue: the assumption does not exist.
    """
    name = assumption(name).name
    action.lock(product)
    rest = {key: value for key, value in product.assumptions.items() if key != name}
    _store(action, product, rest)


def _store(action: Action, product: ProductRow, texts: dict[str, str]) -> None:
    if texts != product.assumptions:
        product.assumptions, product.updated_at = texts, action.now_ms
        action.session.flush()
