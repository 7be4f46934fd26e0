"""Imitations of the serialisers that receivers use, one file a language."""

from leanbe_emitter.wire.explain.serialisers.csharp import CSHARP
from leanbe_emitter.wire.explain.serialisers.go import GO
from leanbe_emitter.wire.explain.serialisers.java import JAVA
from leanbe_emitter.wire.explain.serialisers.javascript import JAVASCRIPT
from leanbe_emitter.wire.explain.serialisers.notation import Serialiser
from leanbe_emitter.wire.explain.serialisers.php import PHP
from leanbe_emitter.wire.explain.serialisers.python import PYTHON
from leanbe_emitter.wire.explain.serialisers.ruby import RUBY

#: All of them, the most common first.
SERIALISERS: tuple[Serialiser, ...] = (*PYTHON, *JAVASCRIPT, *PHP, *GO, *RUBY, *JAVA, *CSHARP)
