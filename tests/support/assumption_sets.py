"""Assumption sets for tests that hold for every value: the article's, and each deviation."""

from leanbe_emitter.wire.assumptions.lookup import ASSUMPTIONS, AssumptionSet, SettledAt, read

#: Every single deviation that changes bytes, and all deviations of the payload's shape together.
READINGS: dict[str, AssumptionSet] = {
    "article": AssumptionSet(),
    **{
        f"{each.name}={value}": read({each.name: value})
        for each in ASSUMPTIONS
        if each.settled_at is SettledAt.RECORDING or each.name == "vote_model"
        for value in each.values
        if value != each.default
    },
    "every shape at once": read(
        {
            "unset": "null",
            "include_changes": "true",
            "idea_request_ref_key": "_id",
            "vote_model": "net",
            "vote_payload": "idea",
        }
    ),
}
