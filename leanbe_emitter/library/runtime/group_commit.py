"""Calls that are done in one transaction, each of them done or refused by itself.

Where a database has one writer at a time, its turns cost more than what most calls write.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.library.runtime.transactions import Spoiled, Transactions

Call: TypeAlias = Callable[[], Any]


def outcomes(transactions: Transactions, calls: Sequence[Call]) -> list[Any]:
    """Do all that is called for; return what each call returned, or what it raised.

    Most refusals come before anything is written, so that nothing has to be undone: it costs a
    fifth of a call to be prepared for that. Where something has to, all begin again, prepared.
    """
    try:
        try:
            return _done(transactions, calls, undoes=False)
        except Spoiled:
            return _done(transactions, calls, undoes=True)
    except LeanbeError as error:
        return [error] * len(calls)
    except Exception as error:  # noqa: BLE001 - whoever it belongs to is told
        if len(calls) == 1:
            return [error]
        # Nothing was done: whose error it is turns out when each is done alone.
        return [outcome for each in calls for outcome in outcomes(transactions, [each])]


def _done(transactions: Transactions, calls: Sequence[Call], *, undoes: bool) -> list[Any]:
    with transactions.begin(undoes=undoes):
        return [_outcome(call) for call in calls]


def _outcome(call: Call) -> Any:
    try:
        return call()
    except LeanbeError as error:
        return error
