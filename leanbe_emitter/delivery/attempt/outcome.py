"""The outcome of an attempt: delivered, refused, unreachable or unknown."""

from leanbe_emitter.delivery.network.transport import Answer, Unknown, Unreachable
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, Success

_OK = 200
_ANY_2XX = range(200, 300)


def classify(result: Answer | Unreachable | Unknown, assumptions: AssumptionSet) -> Outcome:
    """Return the outcome of a request: one of four, however it ended."""
    # Contract c.5; d-7 for what counts as success.
    match result:
        case Unreachable():
            return Outcome.UNREACHABLE
        case Unknown():
            return Outcome.UNKNOWN
        case Answer(status=status):
            is_strict = assumptions.success == Success.ONLY_200
            is_success = status == _OK if is_strict else status in _ANY_2XX
            return Outcome.DELIVERED if is_success else Outcome.REFUSED
