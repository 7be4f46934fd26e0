"""Assumption sets for tests that hold for each of them: the article's, and one a deviation."""

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTIONS, SettledAt
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions

#: Each single value that changes bytes, and all deviations of the payload's shape together.
ASSUMPTION_SETS: dict[str, AssumptionSet] = {
    "article": AssumptionSet(),
    **{
        f"{each.name}={value}": parse_assumptions({each.name: value})
        for each in ASSUMPTIONS
        if each.settled_at is SettledAt.RECORDING or each.name == "vote_model"
        for value in each.values
        if value != each.default
    },
    "every shape at once": parse_assumptions(
        {
            "unset": "null",
            "include_changes": "true",
            "idea_request_ref_key": "_id",
            "vote_model": "net",
            "vote_payload": "idea",
        }
    ),
}
