"""The languages in which receivers are written, and for which there are repairs."""

from enum import StrEnum

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.did_you_mean import any_of


class Language(StrEnum):
    """A language of receivers; the value is what users type."""

    JAVASCRIPT = "javascript"
    TYPESCRIPT = "typescript"
    PYTHON = "python"
    PHP = "php"
    GO = "go"
    RUBY = "ruby"
    JAVA = "java"
    CSHARP = "csharp"

    @property
    def label(self) -> str:
        """The language's name as people write it."""
        return _TITLES[self]

    @property
    def base(self) -> "Language":
        """The language whose mistakes and lines it has: JavaScript for TypeScript, else itself."""
        return Language.JAVASCRIPT if self is Language.TYPESCRIPT else self

    def comment(self, text: str) -> str:
        """Return the text as a comment behind a line of code."""
        is_hashed = self in {Language.PYTHON, Language.RUBY}
        return f"  # {text}" if is_hashed else f" // {text}"


_TITLES = {
    Language.JAVASCRIPT: "JavaScript",
    Language.TYPESCRIPT: "TypeScript",
    Language.PYTHON: "Python",
    Language.PHP: "PHP",
    Language.GO: "Go",
    Language.RUBY: "Ruby",
    Language.JAVA: "Java",
    Language.CSHARP: "C#",
}
#: The languages whose repairs are shown if nothing tells the receiver's language.
USUAL = (Language.JAVASCRIPT, Language.PYTHON)


def language_named(name: str | None) -> Language | None:
    """Return the language of a name that users typed; None for None.

    Raises:
        InvalidValue: there are no repairs for the language.
    """
    if name is None:
        return None
    try:
        return Language(name.lower())
    except ValueError:
        raise InvalidValue(
            f"There are no repairs for the language {name!r}.", hint=f"Use {any_of(Language)}."
        ) from None
