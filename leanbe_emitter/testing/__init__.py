"""What test suites are given: ``Receiver``, a server, a mixin, and what the plugin is made of.

Nothing here loads the sending side before a handle is opened.
"""

from leanbe_emitter.testing.receiver import Receiver
from leanbe_emitter.testing.server import Server
from leanbe_emitter.testing.unittest_mixin import LeanbeMixin

__all__ = ["LeanbeMixin", "Receiver", "Server"]
