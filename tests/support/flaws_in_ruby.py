"""Mistakes of receivers in Ruby, and which checks find each: exactly these, and no others."""

from collections.abc import Mapping

from tests.support.flaw_matrix import (
    EVERYTHING_BUT_OKRS,
    FORGERIES,
    GATE,
    KINDS,
    MINIMAL,
    TYPES,
    WITH_HTML,
    events,
)
from tests.support.snippet_flaws import SnippetFlaw

_GUARD = "    return 401 unless signature.is_a?(String) && signed?(text, signature)\n"
_COMPARED = 'OpenSSL.secure_compare(OpenSSL::HMAC.hexdigest("SHA256", @secret, text), signature)'
_TEXT = "    text = payload_text(body)\n"
_KEY = 'key = [event, payload.is_a?(Hash) ? payload["_id"] : nil, at]'
_UNRESCUED = {"  rescue JSON::ParserError\n    nil\n": ""}
_ANSWERED = (
    'client.write("HTTP/1.1 #{receiver.call(request).first} -\\r\\nConnection: close\\r\\n\\r\\n")'
)
_ANSWERED_WITH_BODY = (
    "status, _, answer = receiver.call(request)\n"
    '  client.write("HTTP/1.1 #{status} -\\r\\nConnection: close\\r\\n\\r\\n#{answer.join}")'
)

#: A handler for each event of an idea: what it prints is the observation.
OBSERVED = {
    "  }.freeze": "  }.then { |one| "
    'one.merge("idea.updated" => one.values[0], "idea.deleted" => one.values[0]) }.freeze'
}
_HANDLED = frozenset({"idea.created", "idea.updated", "idea.deleted"})


def _hashing(text: str, *, beside: str = "") -> Mapping[str, str]:
    """Return the changes that hash the text that an expression makes of the payload."""
    return {
        "signature.is_a?(String) && signed?(text, signature)": "signature.is_a?(String) && "
        f"signed?({text}, signature)",
        'require "json"\n': f'require "json"\n{beside}',
    }


FLAWS: Mapping[str, SnippetFlaw] = {
    "signature_skipped": SnippetFlaw(
        edits={_GUARD: ""}, findings=FORGERIES, repair="halt 401 unless verifies?(body)"
    ),
    # secure_compare takes nothing but texts.
    "missing_accepted": SnippetFlaw(
        edits={_GUARD: "    return 401 if signature && !signed?(text, signature)\n"},
        findings=frozenset({"signature.missing"}) | (TYPES - {"signature.type[non_ascii]"}),
        repair="found.is_a?(String) && OpenSSL.secure_compare(found, expected)",
    ),
    # It raises an error if the lengths differ.
    "fixed_length_compared": SnippetFlaw(
        edits={"OpenSSL.secure_compare": "OpenSSL.fixed_length_secure_compare"},
        findings=frozenset({"signature.truncated", "signature.empty", "signature.type[non_ascii]"}),
        repair="OpenSSL.secure_compare(found, expected)",
    ),
    "prefix_compared": SnippetFlaw(
        edits={
            _COMPARED: 'OpenSSL::HMAC.hexdigest("SHA256", @secret, text).start_with?(signature)'
        },
        findings=frozenset({"signature.truncated", "signature.empty"}),
        repair="OpenSSL.secure_compare(found, expected)",
    ),
    "raw_body_hashed": SnippetFlaw(
        edits=_hashing("body"),
        findings=GATE,
        repair="raw.rindex(",
        cause="It refuses the plainest event: 401",
    ),
    "script_safe": SnippetFlaw(
        edits=_hashing('JSON.generate(envelope["payload"], script_safe: true)'),
        findings=WITH_HTML | {"serialise.html", "serialise.text"},
        repair="raw.rindex(",
        cause="JSON.generate(payload, script_safe: true), which writes / as",
    ),
    "to_json_of_active_support": SnippetFlaw(
        edits=_hashing(
            'envelope["payload"].to_json',
            beside='require "active_support"\nrequire "active_support/core_ext/object/json"\n',
        ),
        findings=EVERYTHING_BUT_OKRS | {"serialise.html", "serialise.text"},
        repair="raw.rindex(",
        cause="payload.to_json in Rails, which",
    ),
    "not_idempotent": SnippetFlaw(
        edits={" || @seen.include?(key)": ""},
        findings=frozenset(
            f"idempotency.{name}" for name in ("duplicate", "concurrent", "after_hangup")
        ),
        repair="unless insert_seen(key)",
    ),
    "race": SnippetFlaw(
        edits={
            "@turn.synchronize do": "tap do",
            "      @seen << key": "      @seen << key",
            "      handle.call(payload)\n": "      sleep(0.05)\n      handle.call(payload)\n",
        },
        findings=frozenset({"idempotency.concurrent", "idempotency.after_hangup"}),
        repair="unless insert_seen(key)",
    ),
    "dedupe_by_id": SnippetFlaw(
        edits={_KEY: 'key = payload["_id"]'},
        findings=frozenset({"idempotency.other_event", "idempotency.same_event_later"}),
        repair='body.values_at("event", "triggeredAt", "signature")',
    ),
    "bad_json_crashes": SnippetFlaw(
        edits=_UNRESCUED,
        findings=frozenset({"http.bad_json", "http.empty"}),
        repair="body = JSON.parse(raw) rescue halt(400)",
    ),
    "unknown_event_crashes": SnippetFlaw(
        edits={"HANDLERS[event]": "HANDLERS.fetch(event)"},
        findings=events(*KINDS, but=_HANDLED)
        | (MINIMAL - {"compat.minimal[idea]"})
        | {"serialise.empty", "serialise.keys", "serialise.decimals", "compat.unknown_event"},
        repair="handlers[event]&.call(payload)",
    ),
    "leak_stack_trace": SnippetFlaw(
        edits={
            **_UNRESCUED,
            "[500, {}, []]": "[500, {}, [error.full_message(highlight: false)]]",
            _ANSWERED: _ANSWERED_WITH_BODY,
        },
        findings=frozenset({"http.bad_json", "http.empty", "leak.stack_trace"}),
        repair="config.consider_all_requests_local = false",
    ),
    # What inspect shows has all variables of the object.
    "leak_secret": SnippetFlaw(
        edits={
            "[status(body), {}, []]": "[status(body), {}, [inspect]]",
            _ANSWERED: _ANSWERED_WITH_BODY,
        },
        findings=frozenset({"leak.secret"}),
        repair="bad signature",
    ),
}
