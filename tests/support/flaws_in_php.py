"""Mistakes of receivers in PHP, and which checks find each: exactly these, and no others."""

from collections.abc import Mapping

from tests.support.flaw_matrix import FORGERIES, GATE, KINDS, MINIMAL, TYPES, WITH_HTML, events
from tests.support.snippet_flaws import SnippetFlaw

_IS_TEXT = "    if (!is_string($signature)) return 401;\n"
_COMPARISON = "if (!hash_equals(hash_hmac('sha256', $text, $secret), $signature)) return 401;"
_HASHED = "hash_hmac('sha256', $text, $secret)"
_PARSED = "$envelope = json_decode($body, true);"
_KEY = "[$event, $payload['_id'] ?? null, $at]"
_STRICTLY_PARSED = {_PARSED: "$envelope = json_decode($body, true, 512, JSON_THROW_ON_ERROR);"}
_ENCODED = f"{_PARSED}\n    $encoded = "
_NO_JSON = frozenset({"http.bad_json", "http.empty", "http.invalid_utf8"})

#: A handler for each event of an idea: what it prints is the observation.
OBSERVED = {"'idea.created' =>": "'idea.created', 'idea.updated', 'idea.deleted' =>"}
_HANDLED = frozenset({"idea.created", "idea.updated", "idea.deleted"})

FLAWS: Mapping[str, SnippetFlaw] = {
    "signature_skipped": SnippetFlaw(
        edits={_IS_TEXT: "", _COMPARISON: ""},
        findings=FORGERIES,
        repair="if (!verifies($body)) { http_response_code(401); exit; }",
    ),
    # isset() is false for null, and hash_equals() takes nothing but texts.
    "missing_accepted": SnippetFlaw(
        edits={_IS_TEXT: "", "if (!hash_equals": "if (isset($signature) && !hash_equals"},
        findings=frozenset({"signature.missing"}) | (TYPES - {"signature.type[non_ascii]"}),
        repair="is_string($found) && hash_equals($expected, $found)",
    ),
    # To PHP, true equals every text.
    "loosely_compared": SnippetFlaw(
        edits={_IS_TEXT: "", _COMPARISON: f"if ({_HASHED} != $signature) return 401;"},
        findings=frozenset({"signature.type[true]"}),
        repair="is_string($found) && hash_equals($expected, $found)",
    ),
    "prefix_compared": SnippetFlaw(
        edits={"!hash_equals(": "!str_starts_with("},
        findings=frozenset({"signature.truncated", "signature.empty"}),
        repair="hash_equals($expected, $found)",
    ),
    "raw_body_hashed": SnippetFlaw(
        edits={_HASHED: "hash_hmac('sha256', $body, $secret)"},
        findings=GATE,
        repair="strrpos($raw, ",
        cause="It refuses the plainest event: 401",
    ),
    "json_encode_at_its_defaults": SnippetFlaw(
        edits={
            _PARSED: f"{_ENCODED}json_encode($envelope['payload'] ?? null);",
            _HASHED: "hash_hmac('sha256', $encoded, $secret)",
        },
        findings=WITH_HTML
        | events("customer")
        | MINIMAL & {"compat.minimal[customer]"}
        | {"serialise.html", "serialise.text", "serialise.empty"},
        repair="strrpos($raw, ",
        cause="You hash json_encode($body['payload']), which",
    ),
    "json_encode_of_arrays": SnippetFlaw(
        edits={
            _PARSED: f"{_ENCODED}json_encode($envelope['payload'] ?? null, "
            "JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);",
            _HASHED: "hash_hmac('sha256', $encoded, $secret)",
        },
        findings=events("customer")
        | {"serialise.text", "serialise.empty", "compat.minimal[customer]"},
        repair="strrpos($raw, ",
        cause="JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), which turns {} into []",
    ),
    "not_idempotent": SnippetFlaw(
        edits={"if (fgets($file) === false) {": "if (true) {"},
        findings=frozenset(
            f"idempotency.{name}" for name in ("duplicate", "concurrent", "after_hangup")
        ),
        repair="insertSeen($pdo, $key)",
    ),
    "dedupe_by_id": SnippetFlaw(
        edits={_KEY: "[$payload['_id'] ?? null]"},
        findings=frozenset({"idempotency.other_event", "idempotency.same_event_later"}),
        repair="[$body->event, $body->triggeredAt, $body->signature]",
    ),
    "dedupe_by_signature": SnippetFlaw(
        edits={_KEY: "[$signature]"},
        findings=frozenset({"idempotency.same_payload"}),
        repair="[$body->event, $body->triggeredAt, $body->signature]",
    ),
    "bad_json_crashes": SnippetFlaw(
        edits=_STRICTLY_PARSED,
        findings=_NO_JSON,
        repair="if (!is_object($body)) { http_response_code(400); exit; }",
    ),
    "match_without_default": SnippetFlaw(
        edits={"        default => null, // accept all other events, also new ones\n": ""},
        findings=events(*KINDS, but=_HANDLED)
        | (MINIMAL - {"compat.minimal[idea]"})
        | {"serialise.empty", "serialise.keys", "serialise.decimals", "compat.unknown_event"},
        repair="if (isset($handlers[$event]))",
    ),
    "leak_stack_trace": SnippetFlaw(
        edits={
            **_STRICTLY_PARSED,
            "    http_response_code(500);\n": "    http_response_code(500);\n    echo $error;\n",
        },
        findings=_NO_JSON | {"leak.stack_trace"},
        repair="display_errors = Off",
    ),
    "leak_secret": SnippetFlaw(
        edits={_IS_TEXT: "    if (!is_string($signature)) { print_r(getenv()); return 401; }\n"},
        findings=frozenset({"leak.secret"}),
        repair="bad signature",
    ),
}
