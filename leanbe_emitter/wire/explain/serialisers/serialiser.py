"""One serialiser of the field: a call in a language, and the notation that it writes."""

from collections.abc import Callable
from dataclasses import dataclass

from leanbe_emitter.wire.explain.json_tree import Tree
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.notation import JAVASCRIPT, Notation, as_parsed, write


@dataclass(frozen=True, kw_only=True)
class Serialiser:
    """A way to write a parsed payload again.

    Attributes:
        name: a stable word for programs, such as ``php-objects``.
        language: its language.
        call: the code that calls it.
        notation: what it writes.
        makes: writes the tree, if a notation cannot say it.
        says: what it does wrong, behind "which"; if empty, its notation tells it.
    """

    name: str
    language: Language
    call: str
    notation: Notation = JAVASCRIPT
    makes: Callable[[Tree], str] | None = None
    says: str = ""

    def text(self, tree: Tree, *, may_have_surrogates: bool = True) -> str:
        """Return the text that it writes.

        Args:
            tree: the payload.
            may_have_surrogates: whether the tree may hold halves of surrogate pairs.

        Raises:
            RefusedText: it raises an error for this tree.
            ValueError: the tree has an integer that is too long for Python.
        """
        if may_have_surrogates:
            tree = as_parsed(tree, self.notation)
        return write(tree, self.notation) if self.makes is None else self.makes(tree)
