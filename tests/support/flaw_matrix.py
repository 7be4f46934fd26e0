"""The findings of each flaw of the example receiver: exactly these, and no others.

Findings that need a network stand in ``NETWORK_FINDINGS``; the others are found in process, too.
"""

from collections.abc import Mapping

from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER

#: All graded checks of the group ``signature``.
FORGERIES = frozenset(
    f"signature.{name}"
    for name in (
        "missing",
        "wrong_secret",
        "tampered",
        "added_member",
        "truncated",
        "empty",
        "empty_secret",
        "type[null]",
        "type[number]",
        "type[true]",
        "type[list]",
        "type[object]",
        "type[non_ascii]",
    )
)
#: Those with a signature of another type, or in other letters.
TYPES = frozenset(each for each in FORGERIES if ".type[" in each)
#: The kinds of documents that events are about.
KINDS = ("ideaRequest", "idea", "customer", "backlogItem", "okr", "announcement")
MINIMAL = frozenset(f"compat.minimal[{kind}]" for kind in KINDS)
#: What a receiver has that refuses everything.
GATE = frozenset({"control.plain"})


def events(*kinds: str, but: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the controls of the events of these kinds."""
    names = [name for name in LIFECYCLE_ORDER if name.partition(".")[0] in kinds]
    return frozenset(f"control.event[{name}]" for name in names if name not in but)


EVERYTHING_BUT_OKRS = events("ideaRequest", "idea", "customer", "backlogItem", "announcement")
WITH_HTML = events("ideaRequest", "idea", "backlogItem", "announcement")

#: What each flaw is found by, with an observation.
FINDINGS: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "signature_skipped": FORGERIES,
    "missing_accepted": frozenset({"signature.missing"}),
    "raw_body_hashed": GATE,
    "empty_secret_in_list": frozenset({"signature.empty_secret"}),
    "prefix_compare": frozenset({"signature.truncated", "signature.empty", "signature.type[list]"}),
    "timing_throws": frozenset({"signature.missing", "signature.truncated", "signature.empty"})
    | TYPES,
    "upper_case_accepted": frozenset(),
    "effect_before_verification": FORGERIES,
    "answers_always_200": frozenset(),
    "html_escaped": EVERYTHING_BUT_OKRS | {"serialise.html", "serialise.text"},
    "slashes_escaped": WITH_HTML | {"serialise.html"},
    "ascii_escaped": events("ideaRequest", "idea", "customer", "backlogItem") | {"serialise.text"},
    "spaces_written": GATE,
    "python_floats": frozenset(),
    "keys_sorted": GATE,
    "empty_object_as_list": events("customer") | {"serialise.empty", "compat.minimal[customer]"},
    "decimals_rounded": frozenset({"serialise.decimals"}),
    "empty_key_renamed": frozenset({"serialise.keys"}),
    "nulls_dropped": frozenset({"compat.null"}),
    "not_idempotent": frozenset({"idempotency.duplicate"}),
    "race": frozenset(),
    "duplicate_conflict": frozenset({"idempotency.duplicate"}),
    "dedupe_by_id": frozenset({"idempotency.other_event", "idempotency.same_event_later"}),
    "dedupe_by_id_and_event": frozenset({"idempotency.same_event_later"}),
    "dedupe_by_signature": frozenset({"idempotency.same_payload"}),
    "order_refused": frozenset({"order.reversed"}),
    "creation_overwrites": frozenset({"order.reversed"}),
    "deletion_forgotten": frozenset({"order.after_deletion"}),
    "unknown_event_refused": frozenset({"compat.unknown_event"}),
    "unknown_event_crashes": frozenset({"compat.unknown_event"}),
    "one_event_only": events(*KINDS, but=frozenset({"idea.created"}))
    | (MINIMAL - {"compat.minimal[idea]"})
    | {"serialise.empty", "serialise.keys", "serialise.decimals", "compat.unknown_event"},
    "strict_schema": frozenset({"compat.added_member"}),
    "needs_optional_member": MINIMAL | {"compat.null"},
    "null_crashes": frozenset({"compat.null"}),
    "limit_100k": frozenset({"http.size_256k"}),
    "charset_refused": frozenset({"http.charset"}),
    "first_piece_read": frozenset(),
    "bad_json_crashes": frozenset({"http.bad_json", "http.empty"}),
    "not_object_crashes": frozenset({"http.not_object", "http.json_null"}),
    "utf8_crashes": frozenset({"http.invalid_utf8"}),
    "empty_accepted": frozenset(),
    "nesting_kills": frozenset({"http.nesting"}),
    "answers_302": GATE,
    "trailing_redirect": GATE,
    "slow_answer": frozenset(),
    "works_later": frozenset(),
    "leak_expected_signature": frozenset({"leak.expected_signature"}),
    "leak_secret": frozenset({"leak.secret"}),
    "leak_stack_trace": frozenset({"leak.stack_trace"}),
    "seen_in_memory": frozenset(),
    "queue_in_memory": frozenset(),
}

#: What is found over a network besides.
NETWORK_FINDINGS: Mapping[str, frozenset[str]] = {
    "not_idempotent": frozenset({"idempotency.concurrent", "idempotency.after_hangup"}),
    "race": frozenset({"idempotency.concurrent", "idempotency.after_hangup"}),
    "duplicate_conflict": frozenset({"idempotency.after_hangup"}),
    "first_piece_read": frozenset({"http.split_body", "http.size_256k"}),
    "slow_answer": frozenset({"latency.answer"}),
}

#: What is found if the run starts the receiver, too.
START_FINDINGS: Mapping[str, frozenset[str]] = {
    "seen_in_memory": frozenset({"durability.duplicate_after_restart"}),
    "queue_in_memory": frozenset({"durability.killed_after_answer"}),
}
