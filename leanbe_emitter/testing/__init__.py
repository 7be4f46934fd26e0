"""What test suites are given: ``Receiver``, a mixin, and what the pytest plugin is made of.

Nothing here loads the sending side before a handle is opened.
"""

from leanbe_emitter.testing.cases import LeanbeMixin
from leanbe_emitter.testing.receiver import Receiver

__all__ = ["LeanbeMixin", "Receiver"]
