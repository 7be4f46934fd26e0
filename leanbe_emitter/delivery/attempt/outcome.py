"""What an attempt came to: every way a request can end is exactly one of the four outcomes."""

from leanbe_emitter.delivery.network.transport import Answer, Unknown, Unreachable
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, Success

_OK = 200
_ANY_2XX = range(200, 300)


def classify(result: Answer | Unreachable | Unknown, assumptions: AssumptionSet) -> Outcome:
    """Return what the attempt came to (contract c.5; d-7 for what counts as success)."""
    match result:
        case Unreachable():
            return Outcome.UNREACHABLE
        case Unknown():
            return Outcome.UNKNOWN
        case Answer(status=status):
            return Outcome.DELIVERED if _accepts(status, assumptions.success) else Outcome.REFUSED


def _accepts(status: int, success: Success) -> bool:
    return status == _OK if success == Success.ONLY_200 else status in _ANY_2XX
