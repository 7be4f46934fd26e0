"""The texts of ``NotFound`` for products and documents that do not exist, or no longer exist."""

from leanbe_emitter.errors import NotFound
from leanbe_emitter.hints import CREATE_PRODUCT


def no_such(what: str, reference: str, *, hint: str) -> NotFound:
    """Return the error for a reference to an object that does not exist.

    Args:
        what: the kind of object.
        reference: the reference, as the caller gave it.
        hint: how to name an object of that kind, or the name that was probably meant.
    """
    return NotFound(f"There is no {what} {reference!r}.", hint=hint)


def no_product_yet() -> NotFound:
    """Return the error for a database without a product."""
    return NotFound("There is no product yet.", hint=CREATE_PRODUCT.between("Create one: ", "."))


def deleted_meanwhile(what: str) -> NotFound:
    """Return the error for an object that somebody has deleted since the caller found it."""
    return NotFound(f"The {what} was deleted meanwhile.", hint="Somebody else deleted it.")
