"""All serialisers, the most common first."""

from leanbe_emitter.wire.explain.serialisers.csharp import CSHARP
from leanbe_emitter.wire.explain.serialisers.go import GO
from leanbe_emitter.wire.explain.serialisers.java import JAVA
from leanbe_emitter.wire.explain.serialisers.javascript import JAVASCRIPT
from leanbe_emitter.wire.explain.serialisers.php import PHP
from leanbe_emitter.wire.explain.serialisers.python import PYTHON
from leanbe_emitter.wire.explain.serialisers.ruby import RUBY
from leanbe_emitter.wire.explain.serialisers.serialiser import Serialiser

SERIALISERS: tuple[Serialiser, ...] = (*PYTHON, *JAVASCRIPT, *PHP, *GO, *RUBY, *JAVA, *CSHARP)
