"""Mistakes of receivers in Go, and which checks find each: exactly these, and no others."""

from collections.abc import Mapping

from tests.support.flaw_matrix import EVERYTHING_BUT_OKRS, FORGERIES, GATE, KINDS, MINIMAL, events
from tests.support.snippet_flaws import SnippetFlaw

_GUARD = "sent.Signature == nil || !r.isSigned(text.Bytes(), *sent.Signature)"
_EQUAL = "hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(signature))"
_PARSED = "json.Unmarshal(body, &sent) != nil || "
_READ = "io.ReadAll(http.MaxBytesReader(answer, request.Body, mostBytes))"
_KEY = "[3]string{event, document.ID, triggeredAt}"
_ANSWERED = "answer.WriteHeader(r.receive(body))\n"
_IMPORT = '\t"bytes"\n'
#: A signature that is no text does not fit into the struct: the envelope is refused before.
_NO_TEXTS = frozenset(f"signature.type[{name}]" for name in ("number", "true", "list", "object"))
_NO_SIGNATURE = frozenset({"signature.missing", "signature.type[null]"})

#: A handler for each event of an idea: what it prints is the observation.
OBSERVED = {
    '"idea.created": ideaCreated,': '"idea.created": ideaCreated, '
    '"idea.updated": ideaCreated, "idea.deleted": ideaCreated,'
}
_HANDLED = frozenset({"idea.created", "idea.updated", "idea.deleted"})

FLAWS: Mapping[str, SnippetFlaw] = {
    # Go reads bytes that are no UTF-8 as U+FFFD: nothing else refuses such a body.
    "signature_skipped": SnippetFlaw(
        edits={_GUARD: "false"},
        findings=(FORGERIES - _NO_TEXTS) | {"http.invalid_utf8"},
        repair="if !verifies(body) { http.Error(w, `bad signature`, 401); return }",
    ),
    "missing_accepted": SnippetFlaw(
        edits={"sent.Signature == nil || ": "sent.Signature != nil && "},
        findings=_NO_SIGNATURE,
        repair="hmac.Equal([]byte(found), []byte(expected))",
    ),
    # A panic ends the connection: no answer comes.
    "nil_dereferenced": SnippetFlaw(
        edits={"sent.Signature == nil || ": ""},
        findings=_NO_SIGNATURE,
        repair="hmac.Equal([]byte(found), []byte(expected))",
    ),
    "prefix_compared": SnippetFlaw(
        edits={"hmac.Equal(": "bytes.HasPrefix("},
        findings=frozenset({"signature.truncated", "signature.empty"}),
        repair="hmac.Equal([]byte(found), []byte(expected))",
    ),
    "raw_body_hashed": SnippetFlaw(
        edits={"r.isSigned(text.Bytes(), ": "r.isSigned(body, "},
        findings=GATE,
        repair="bytes.LastIndex(raw, ",
        cause="It refuses the plainest event: 401",
    ),
    "marshal_of_a_map": SnippetFlaw(
        edits={
            "\tif sent.Signature == nil": "\tvar payload map[string]any\n"
            "\t_ = json.Unmarshal(sent.Payload, &payload)\n"
            "\tencoded, _ := json.Marshal(payload)\n"
            "\tif sent.Signature == nil",
            "r.isSigned(text.Bytes(), ": "r.isSigned(encoded, ",
        },
        findings=GATE,
        repair="bytes.LastIndex(raw, ",
        cause="You hash json.Marshal(payload), which",
    ),
    "marshal_of_raw_message": SnippetFlaw(
        edits={
            "\tif sent.Signature == nil": "\tencoded, _ := json.Marshal(sent.Payload)\n"
            "\tif sent.Signature == nil",
            "r.isSigned(text.Bytes(), ": "r.isSigned(encoded, ",
        },
        findings=EVERYTHING_BUT_OKRS | {"serialise.html", "serialise.text"},
        repair="bytes.LastIndex(raw, ",
        cause="You hash json.Marshal(json.RawMessage(payload)), which",
    ),
    "not_idempotent": SnippetFlaw(
        edits={" || r.seen[key]": ""},
        findings=frozenset(
            f"idempotency.{name}" for name in ("duplicate", "concurrent", "after_hangup")
        ),
        repair="!insertSeen(tx, key)",
    ),
    "race": SnippetFlaw(
        edits={
            _IMPORT: f'{_IMPORT}\t"time"\n',
            "\tdefer r.mutex.Unlock()\n": "",
            "if handle == nil || r.seen[key] {": "seen := r.seen[key]\n\tr.mutex.Unlock()\n"
            "\ttime.Sleep(50 * time.Millisecond)\n\tif handle == nil || seen {",
            "\tr.seen[key] = true\n": "\tr.mutex.Lock()\n\tdefer r.mutex.Unlock()\n"
            "\tr.seen[key] = true\n",
        },
        findings=frozenset({"idempotency.concurrent", "idempotency.after_hangup"}),
        repair="!insertSeen(tx, key)",
    ),
    "dedupe_by_id": SnippetFlaw(
        edits={_KEY: "[3]string{document.ID}", "(event, triggeredAt string": "(event, _ string"},
        findings=frozenset({"idempotency.other_event", "idempotency.same_event_later"}),
        repair='body.Event + "," + body.TriggeredAt + "," + body.Signature',
    ),
    "bad_json_crashes": SnippetFlaw(
        edits={
            f"\tif {_PARSED}": "\tif err := json.Unmarshal(body, &sent); err != nil {\n"
            "\t\tpanic(err)\n\t}\n\tif "
        },
        findings=_NO_TEXTS | {"http.bad_json", "http.empty", "http.not_object"},
        repair="if err := json.Unmarshal(raw, &body); err != nil",
    ),
    "unknown_event_refused": SnippetFlaw(
        edits={
            "if handle == nil || r.seen[key] {": "if handle == nil {\n"
            '\t\treturn errors.New("unknown event " + event)\n\t}\n\tif r.seen[key] {'
        },
        findings=events(*KINDS, but=_HANDLED)
        | (MINIMAL - {"compat.minimal[idea]"})
        | {"serialise.empty", "serialise.keys", "serialise.decimals", "compat.unknown_event"},
        repair="if handle, known := handlers[event]; known",
    ),
    # One read returns what has come until then.
    "first_piece_read": SnippetFlaw(
        edits={
            f"body, err := {_READ}": "body := make([]byte, mostBytes)\n"
            "\tlength, err := request.Body.Read(body)\n\tbody = body[:length]",
            "if err != nil {\n\t\tanswer": "if err != nil && err != io.EOF {\n\t\tanswer",
        },
        findings=frozenset({"http.split_body", "http.size_256k"}),
        repair="io.ReadAll(",
    ),
    "leak_stack_trace": SnippetFlaw(
        edits={
            _IMPORT: f'{_IMPORT}\t"runtime/debug"\n',
            "sent.Signature == nil || ": "",
            f"\t{_ANSWERED}": "\tdefer func() {\n\t\tif recover() != nil {\n"
            "\t\t\tanswer.WriteHeader(500)\n\t\t\t_, _ = answer.Write(debug.Stack())\n\t\t}\n"
            f"\t}}()\n\t{_ANSWERED}",
        },
        findings=_NO_SIGNATURE | {"leak.stack_trace"},
        repair="debug.Stack()",
    ),
    "leak_secret": SnippetFlaw(
        edits={_ANSWERED: f'{_ANSWERED}\tfmt.Fprintf(answer, "%s", r)\n'},
        findings=frozenset({"leak.secret"}),
        repair="bad signature",
    ),
}
