"""Types of payloads and bodies in other languages, all made from the shapes of ``payloads``.

``records`` collects what a file of types consists of; there is one module for each language.
"""

from collections.abc import Callable, Mapping

from leanbe_emitter.wire.generated_types.go import go
from leanbe_emitter.wire.generated_types.java import java
from leanbe_emitter.wire.generated_types.php import php
from leanbe_emitter.wire.generated_types.records import TypeFile
from leanbe_emitter.wire.generated_types.typed_dicts import typed_dicts
from leanbe_emitter.wire.generated_types.typescript import typescript

#: The function that writes a file of types, by its language.
LANGUAGES: Mapping[str, Callable[[TypeFile], str]] = {
    "typescript": typescript,
    "python": typed_dicts,
    "go": go,
    "php": php,
    "java": java,
}
