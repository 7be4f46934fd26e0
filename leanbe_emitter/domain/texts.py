"""Text that the domain takes in: any Unicode that a database can hold (contract b.0)."""

from leanbe_emitter.errors import InvalidValue

#: How long a name may be, in characters.
LONGEST_NAME = 200
#: An e-mail address has a part before its ``@``, and one behind it.
_AROUND_AT = 2


def can_be_held(value: str) -> bool:
    """Say whether a database can hold the text: no U+0000, no lone surrogate."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


def check_text(value: str, *, what: str, longest: int | None = None) -> str:
    """Return the text if a database can hold it.

    Raises:
        InvalidValue: it holds U+0000 or a lone surrogate, or is too long.
    """
    if not can_be_held(value):
        raise InvalidValue(
            f"The {what} {value!r} holds a character that no database can hold.",
            hint="Leave out U+0000 and lone surrogates.",
        )
    if longest is not None and len(value) > longest:
        raise InvalidValue(
            f"The {what} has {len(value)} characters.", hint=f"At most {longest} are taken."
        )
    return value


def check_name(value: str, *, what: str) -> str:
    """Return the name, without white space around it, if it can be one.

    Raises:
        InvalidValue: it is empty, too long, or a database cannot hold it.
    """
    name = check_text(value, what=what, longest=LONGEST_NAME).strip()
    if not name:
        raise InvalidValue(f"The {what} is empty.", hint="Give it at least one letter.")
    return name


def check_email(value: str) -> str:
    """Return the e-mail address if it has the form of one: something, one ``@``, something.

    Raises:
        InvalidValue: it has not.
    """
    email = check_name(value, what="e-mail address")
    parts = email.split("@")
    if len(parts) != _AROUND_AT or not all(parts) or any(each.isspace() for each in email):
        raise InvalidValue(
            f"{email!r} is no e-mail address.", hint="Write one like ana@example.com."
        )
    return email
