"""Group commit: several calls in one transaction, each of them done or refused by itself.

In a database with one writer at a time, beginning and committing a transaction costs more than the
writes of most calls.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.library.runtime.transactions import Spoiled, Transactions

Call: TypeAlias = Callable[[], Any]


def outcomes(transactions: Transactions, calls: Sequence[Call]) -> list[Any]:
    """Make the calls in one transaction; return the result or the error of each call.

    Most refusals come before a write, so that nothing must be undone. A savepoint for each call
    would cost a fifth of the call. If a refused call has written, all calls start again, then with
    savepoints.
    """
    try:
        try:
            return _done(transactions, calls, undoes=False)
        except Spoiled:
            return _done(transactions, calls, undoes=True)
    except LeanbeError as error:
        return [error] * len(calls)
    except Exception as error:  # noqa: BLE001 - the caller that it belongs to gets it
        if len(calls) == 1:
            return [error]
        # Nothing was committed. Each call alone shows which call raises the error.
        return [outcome for each in calls for outcome in outcomes(transactions, [each])]


def _done(transactions: Transactions, calls: Sequence[Call], *, undoes: bool) -> list[Any]:
    with transactions.begin(undoes=undoes):
        return [_outcome(call) for call in calls]


def _outcome(call: Call) -> Any:
    try:
        return call()
    except LeanbeError as error:
        return error
