"""Tools for test suites: ``Receiver``, a server, a mixin for ``unittest``, and the plugin's parts.

The imports here load no sending code: it is loaded when a test opens a handle.
"""

from leanbe_emitter.testing.receiver import Receiver
from leanbe_emitter.testing.server import Server
from leanbe_emitter.testing.unittest_mixin import LeanbeMixin

__all__ = ["LeanbeMixin", "Receiver", "Server"]
