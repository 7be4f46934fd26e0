"""Tools for test suites: ``Receiver``, checks, a server, a mixin for ``unittest``, and more.

The imports here load no sending code: it is loaded when a test opens a handle.
"""

from leanbe_emitter.testing.conformance import ConformanceWarning, parametrize_with_checks
from leanbe_emitter.testing.receiver import Receiver
from leanbe_emitter.testing.server import Server
from leanbe_emitter.testing.unittest_mixin import LeanbeMixin

__all__ = ["ConformanceWarning", "LeanbeMixin", "Receiver", "Server", "parametrize_with_checks"]
