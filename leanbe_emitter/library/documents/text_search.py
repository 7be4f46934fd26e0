"""A text in the titles and names of documents."""

from typing import Any, Final

from sqlalchemy import ColumnElement, or_

from leanbe_emitter.domain.validation import check_text
from leanbe_emitter.errors import InvalidValue

#: The columns that name a document; each table has some of them.
_NAMES: Final = ("title", "first_name", "last_name", "email")
#: The longest text that is looked for.
_LONGEST: Final = 200


def has_text(table: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a document's title, or a customer's name or e-mail, has a text.

    Raises:
        InvalidValue: the text is empty or too long, or a database cannot store it.
    """
    if not text:
        raise InvalidValue("q has no text.", hint="Give a text, or leave it out.")
    check_text(text, what="text of q", longest=_LONGEST)
    columns = [getattr(table, name) for name in _NAMES if hasattr(table, name)]
    return or_(*(each.icontains(text, autoescape=True) for each in columns))
