"""The flaws: each does one step of the right receiver otherwise, as receivers in the field do."""

import hmac
import json
import re
from collections.abc import Mapping
from traceback import format_exc

from leanbe_emitter.conformance.example.receiver import (
    ExampleReceiver,
    Handled,
    Incoming,
    Refused,
    Reply,
)
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.payloads.event_payloads import payload_shape
from leanbe_emitter.wire.signing import sign_text
from leanbe_emitter.wire.stringify import JSON, stringify

_EXPONENT = re.compile(r"(?<=:)([0-9])e([-+])")
_LIMIT_OF_EXPRESS = 100 * 1024
#: How long slow flaws take, in seconds.
SLOW_SECONDS = 0.4
_RACE_SECONDS = 0.05
#: A double holds every integer up to this one.
_MAX_EXACT = 2**53


# The signature.


class SignatureSkipped(ExampleReceiver):
    """verifies nothing"""

    def verifies(self, envelope: dict[str, JSON], raw: bytes) -> bool:
        return True


class MissingAccepted(ExampleReceiver):
    """verifies only if there is a signature"""

    def verifies(self, envelope: dict[str, JSON], raw: bytes) -> bool:
        return "signature" not in envelope or super().verifies(envelope, raw)


class RawBodyHashed(ExampleReceiver):
    """hashes the whole body"""

    def hashed(self, envelope: dict[str, JSON], raw: bytes) -> str:
        return raw.decode()


class EmptySecretInList(ExampleReceiver):
    """takes one of several secrets, and the last of the list is empty"""

    def verifies(self, envelope: dict[str, JSON], raw: bytes) -> bool:
        empty = sign_text(self.hashed(envelope, raw), "")
        return super().verifies(envelope, raw) or self.is_equal(envelope.get("signature"), empty)


class PrefixCompare(ExampleReceiver):
    """compares with startsWith"""

    def is_equal(self, found: JSON, expected: str) -> bool:
        return expected.startswith("" if found == [] else str(found))


class TimingThrows(ExampleReceiver):
    """compares with a function that throws if the lengths differ"""

    def is_equal(self, found: JSON, expected: str) -> bool:
        if len(found.encode()) != len(expected):
            raise ValueError(found)
        return hmac.compare_digest(found.encode(), expected.encode())


class UpperCaseAccepted(ExampleReceiver):
    """accepts upper case"""

    def is_equal(self, found: JSON, expected: str) -> bool:
        return isinstance(found, str) and super().is_equal(found.lower(), expected)


class EffectBeforeVerification(ExampleReceiver):
    """stores the event, and verifies it then"""

    async def handle(self, incoming: Incoming) -> Reply:
        self.check_head(incoming)
        raw = self.read(incoming)
        envelope = self.envelope(raw)
        reply = await self.accept(self.handled(envelope))
        return reply if self.verifies(envelope, raw) else self.refusal(envelope)


class AnswersAlways200(ExampleReceiver):
    """answers 200 to everything, and ignores what does not verify"""

    async def answer(self, incoming: Incoming) -> Reply:
        reply = await super().answer(incoming)
        return reply if incoming.method == "GET" else Reply(status=200)


# The text that is hashed.


class HtmlEscaped(ExampleReceiver):
    """writes the payload anew, as Go does: < > & and U+2028 are escaped"""

    def written(self, payload: JSON) -> str:
        text = super().written(payload)
        for character in "<>&\u2028":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


class SlashesEscaped(ExampleReceiver):
    """writes the payload anew, as PHP does: / is escaped"""

    def written(self, payload: JSON) -> str:
        return super().written(payload).replace("/", "\\/")


class AsciiEscaped(ExampleReceiver):
    """writes the payload anew in ASCII, without spaces"""

    def written(self, payload: JSON) -> str:
        return json.dumps(payload, separators=(",", ":"))


class SpacesWritten(ExampleReceiver):
    """hashes json.dumps(payload), which puts spaces"""

    def written(self, payload: JSON) -> str:
        return json.dumps(payload)


class PythonFloats(ExampleReceiver):
    """writes floats as Python does"""

    def written(self, payload: JSON) -> str:
        return json.dumps(payload, separators=(",", ":"), ensure_ascii=False)


class KeysSorted(ExampleReceiver):
    """writes the payload anew, as Go does with a map: keys are sorted"""

    def written(self, payload: JSON) -> str:
        return json.dumps(payload, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


class EmptyObjectAsList(ExampleReceiver):
    """reads objects as arrays, as PHP does: {} becomes [], and 1e-7 becomes 1.0e-7"""

    def written(self, payload: JSON) -> str:
        text = stringify(_without_empty_objects(payload), max_bytes=self.longest_body)
        return _EXPONENT.sub(r"\1.0e\2", text)


class DecimalsRounded(ExampleReceiver):
    """reads numbers as integers"""

    def written(self, payload: JSON) -> str:
        return super().written(_rounded(payload))


class EmptyKeyRenamed(ExampleReceiver):
    """cannot hold an empty key, as PHP once could not"""

    def written(self, payload: JSON) -> str:
        return super().written(payload).replace('"":', '"_empty_":')


class NullsDropped(ExampleReceiver):
    """drops members that are null"""

    def written(self, payload: JSON) -> str:
        return super().written({key: each for key, each in payload.items() if each is not None})


# Duplicates and order.


class NotIdempotent(ExampleReceiver):
    """knows no duplicates"""

    def was_seen(self, handled: Handled) -> bool:
        return False


class Race(ExampleReceiver):
    """looks first, and notes the event after a while"""

    async def accept(self, handled: Handled) -> Reply:
        if self.was_seen(handled):
            return Reply(status=204)
        await self.pause(_RACE_SECONDS)
        self.see(handled)
        self.apply(handled)
        return Reply(status=204)


class DuplicateConflict(ExampleReceiver):
    """answers 409 to a duplicate"""

    async def accept(self, handled: Handled) -> Reply:
        return Reply(status=409) if self.was_seen(handled) else await super().accept(handled)


class DedupeById(ExampleReceiver):
    """takes every further event of a document for a duplicate"""

    def key(self, handled: Handled) -> object:
        return handled.document_id


class DedupeByIdAndEvent(ExampleReceiver):
    """takes the second update of a document for a duplicate"""

    def key(self, handled: Handled) -> object:
        return (handled.document_id, handled.event)


class DedupeBySignature(ExampleReceiver):
    """knows duplicates by their signature alone"""

    def key(self, handled: Handled) -> object:
        return handled.signature


class OrderRefused(ExampleReceiver):
    """answers 404 to an event of an unknown document"""

    async def accept(self, handled: Handled) -> Reply:
        is_change = handled.event in EVENT_NAMES and not handled.event.endswith(".created")
        if is_change and not self.state.knows(handled.document_id):
            return Reply(status=404)
        return await super().accept(handled)


class CreationOverwrites(ExampleReceiver):
    """lets a late creation undo an update"""

    def is_late(self, handled: Handled) -> bool:
        return not handled.event.endswith(".created") and super().is_late(handled)


class DeletionForgotten(ExampleReceiver):
    """lets a late update bring a deleted document back"""

    def is_late(self, handled: Handled) -> bool:
        return not self.state.is_newer(handled)


# What Leanbe may send.


class UnknownEventRefused(ExampleReceiver):
    """refuses an event that it does not know"""

    async def accept(self, handled: Handled) -> Reply:
        is_known = handled.event in EVENT_NAMES
        return await super().accept(handled) if is_known else Reply(status=422)


class UnknownEventCrashes(ExampleReceiver):
    """crashes at an event that it does not know"""

    async def accept(self, handled: Handled) -> Reply:
        EVENT_NAMES.index(handled.event)
        return await super().accept(handled)


class OneEventOnly(ExampleReceiver):
    """has a handler for idea.created alone, and refuses the rest"""

    async def accept(self, handled: Handled) -> Reply:
        is_known = handled.event == "idea.created"
        return await super().accept(handled) if is_known else Reply(status=404)


class StrictSchema(ExampleReceiver):
    """refuses a member that its schema does not have"""

    async def accept(self, handled: Handled) -> Reply:
        if handled.event in EVENT_NAMES:
            known = {field.name for field in payload_shape(handled.event).fields}
            if not handled.payload.keys() <= known:
                return Reply(status=422)
        return await super().accept(handled)


class NeedsOptionalMember(ExampleReceiver):
    """crashes if there is no description"""

    async def accept(self, handled: Handled) -> Reply:
        is_customer = handled.event.startswith("customer.")
        handled.payload["firstName" if is_customer else "description"].strip()
        return await super().accept(handled)


class NullCrashes(ExampleReceiver):
    """crashes if the description is null"""

    async def accept(self, handled: Handled) -> Reply:
        handled.payload.get("description", "").strip()
        return await super().accept(handled)


# HTTP.


class Limit100k(ExampleReceiver):
    """takes bodies of up to 100 kB, as Express does"""

    longest_body = _LIMIT_OF_EXPRESS


class CharsetRefused(ExampleReceiver):
    """takes the exact content type only"""

    def check_head(self, incoming: Incoming) -> None:
        super().check_head(incoming)
        if incoming.content_type != "application/json":
            raise Refused(Reply(status=415))


class FirstPieceRead(ExampleReceiver):
    """reads the first piece of a body"""

    def read(self, incoming: Incoming) -> bytes:
        return incoming.pieces[0] if incoming.pieces else b""


class BadJsonCrashes(ExampleReceiver):
    """crashes at a body that is no JSON"""

    def parsed(self, text: str) -> JSON:
        return json.loads(text)


class NotObjectCrashes(ExampleReceiver):
    """crashes at a body that is no object"""

    def members(self, value: JSON) -> dict[str, JSON]:
        return super().members({**value})


class Utf8Crashes(ExampleReceiver):
    """crashes at a body that is not UTF-8"""

    def decoded(self, raw: bytes) -> str:
        return raw.decode()


class EmptyAccepted(ExampleReceiver):
    """answers 200 to an empty body, as to a ping"""

    def envelope(self, raw: bytes) -> dict[str, JSON]:
        if not raw:
            raise Refused(Reply(status=200))
        return super().envelope(raw)


class NestingKills(ExampleReceiver):
    """answers nothing any more after a deep body"""

    is_dead = False

    async def handle(self, incoming: Incoming) -> Reply:
        deep = b"[" * 1000 in b"".join(incoming.pieces)
        self.is_dead = self.is_dead or deep
        return Reply(status=502) if self.is_dead else await super().handle(incoming)


class Answers302(ExampleReceiver):
    """redirects to a login"""

    async def handle(self, incoming: Incoming) -> Reply:
        return Reply(status=302, headers=(("Location", "/login"),))


class TrailingRedirect(ExampleReceiver):
    """redirects to the path with a slash"""

    async def handle(self, incoming: Incoming) -> Reply:
        return Reply(status=307, headers=(("Location", f"{incoming.path}/"),))


class SlowAnswer(ExampleReceiver):
    """does slow work before it answers"""

    async def accept(self, handled: Handled) -> Reply:
        if handled.event == "okr.created":
            await self.pause(SLOW_SECONDS)
        return await super().accept(handled)


class WorksLater(ExampleReceiver):
    """answers 202, and does the work after a while"""

    async def accept(self, handled: Handled) -> Reply:
        if self.was_seen(handled):
            return Reply(status=202)
        self.see(handled)
        return Reply(status=202, then=lambda: self._work(handled))

    async def _work(self, handled: Handled) -> None:
        await self.pause(SLOW_SECONDS)
        self.apply(handled)


# What answers give away, and what a crash loses.


class LeakExpectedSignature(ExampleReceiver):
    """says which signature it expected"""

    def refusal(self, envelope: dict[str, JSON]) -> Reply:
        right = self.expected(self.written(envelope["payload"]))
        return Reply(status=401, body=f"expected {right}".encode())


class LeakSecret(ExampleReceiver):
    """says which secret it uses"""

    def refusal(self, envelope: dict[str, JSON]) -> Reply:
        return Reply(status=401, body=f"wrong, with secret {self.secret}".encode())


class LeakStackTrace(ExampleReceiver):
    """shows a stack trace"""

    def refusal(self, envelope: dict[str, JSON]) -> Reply:
        try:
            raise ValueError("bad signature")  # noqa: TRY301 - to have a trace
        except ValueError:
            return Reply(status=401, body=format_exc().encode())


class SeenInMemory(ExampleReceiver):
    """keeps in memory which events it has seen"""

    def recall(self, handled: Handled) -> None:
        self.apply(handled)


class QueueInMemory(WorksLater):
    """answers 202, and keeps the work in memory"""

    def see(self, handled: Handled) -> None:
        self.state.seen.add(self.key(handled))

    def apply(self, handled: Handled) -> None:
        super().apply(handled)
        self.state.remember(handled)

    def recall(self, handled: Handled) -> None:
        self.state.seen.add(self.key(handled))
        ExampleReceiver.apply(self, handled)


def _without_empty_objects(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _without_empty_objects(each) for key, each in value.items()} or []
    return [_without_empty_objects(each) for each in value] if isinstance(value, list) else value


def _rounded(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    is_decimal = isinstance(value, float) and abs(value) < _MAX_EXACT and value != int(value)
    return int(value) if is_decimal else value


#: The right receiver, under this name.
NONE = "none"
#: The receivers by the names of their flaws.
RECEIVERS: Mapping[str, type[ExampleReceiver]] = {
    NONE: ExampleReceiver,
    "signature_skipped": SignatureSkipped,
    "missing_accepted": MissingAccepted,
    "raw_body_hashed": RawBodyHashed,
    "empty_secret_in_list": EmptySecretInList,
    "prefix_compare": PrefixCompare,
    "timing_throws": TimingThrows,
    "upper_case_accepted": UpperCaseAccepted,
    "effect_before_verification": EffectBeforeVerification,
    "answers_always_200": AnswersAlways200,
    "html_escaped": HtmlEscaped,
    "slashes_escaped": SlashesEscaped,
    "ascii_escaped": AsciiEscaped,
    "spaces_written": SpacesWritten,
    "python_floats": PythonFloats,
    "keys_sorted": KeysSorted,
    "empty_object_as_list": EmptyObjectAsList,
    "decimals_rounded": DecimalsRounded,
    "empty_key_renamed": EmptyKeyRenamed,
    "nulls_dropped": NullsDropped,
    "not_idempotent": NotIdempotent,
    "race": Race,
    "duplicate_conflict": DuplicateConflict,
    "dedupe_by_id": DedupeById,
    "dedupe_by_id_and_event": DedupeByIdAndEvent,
    "dedupe_by_signature": DedupeBySignature,
    "order_refused": OrderRefused,
    "creation_overwrites": CreationOverwrites,
    "deletion_forgotten": DeletionForgotten,
    "unknown_event_refused": UnknownEventRefused,
    "unknown_event_crashes": UnknownEventCrashes,
    "one_event_only": OneEventOnly,
    "strict_schema": StrictSchema,
    "needs_optional_member": NeedsOptionalMember,
    "null_crashes": NullCrashes,
    "limit_100k": Limit100k,
    "charset_refused": CharsetRefused,
    "first_piece_read": FirstPieceRead,
    "bad_json_crashes": BadJsonCrashes,
    "not_object_crashes": NotObjectCrashes,
    "utf8_crashes": Utf8Crashes,
    "empty_accepted": EmptyAccepted,
    "nesting_kills": NestingKills,
    "answers_302": Answers302,
    "trailing_redirect": TrailingRedirect,
    "slow_answer": SlowAnswer,
    "works_later": WorksLater,
    "leak_expected_signature": LeakExpectedSignature,
    "leak_secret": LeakSecret,
    "leak_stack_trace": LeakStackTrace,
    "seen_in_memory": SeenInMemory,
    "queue_in_memory": QueueInMemory,
}
