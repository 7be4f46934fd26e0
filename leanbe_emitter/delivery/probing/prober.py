"""Probe of one receiver: known mistakes sign events, and the one that it accepts is its mistake.

The right signature comes first and last, and one that no mistake gives comes second. Invariant: a
mistake is named only if the receiver lets it through twice, and neither of these two.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.delivery.attempt.single_request import single_request
from leanbe_emitter.delivery.probing.conversation import (
    Conversation,
    ProbeEvents,
    Reply,
    Unanswered,
)
from leanbe_emitter.delivery.queue_types import (
    Claimed,
    Evidence,
    Headers,
    Settlement,
    WebhookSettings,
)
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import SIGNATURE, SealedRequest
from leanbe_emitter.wire.explain.candidates import Candidate
from leanbe_emitter.wire.explain.digest_mistakes import wrong_place
from leanbe_emitter.wire.explain.explainer import Verdict
from leanbe_emitter.wire.explain.key_mistakes import other_secret
from leanbe_emitter.wire.explain.languages import language_named
from leanbe_emitter.wire.explain.mistakes import KeyMistake
from leanbe_emitter.wire.explain.probe import ProbeEvent, ProbeResult, ProbeTeller
from leanbe_emitter.wire.explain.suspects import Group, Suspect, Suspects

#: Statuses that are about the URL or the method, and not about the signature.
_ABOUT_PLACES = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE})
_LATE = "It refused the first right signature, and accepted the last one."
_LOOK = "Look at the receiver and at its URL first."


class _Finding(NamedTuple):
    """The conclusion from the receiver's answers."""

    verdict: Verdict
    summary: str
    hint: str = ""
    mistakes: tuple[Candidate, ...] = ()


_RIGHT = _Finding(
    Verdict.ACCEPTS_RIGHT, "The receiver accepts the right signature, and refuses a wrong one."
)


class Prober:
    """Asks one receiver.

    Args:
        conversation: sends the requests.
        lang: the receiver's language if it is known.
        other_keys: mistakes in the key beside the known ones: other secrets.

    Raises:
        InvalidValue: there are no repairs for the language.
    """

    def __init__(
        self,
        conversation: Conversation,
        *,
        lang: str | None = None,
        other_keys: tuple[KeyMistake, ...] = (),
    ) -> None:
        self._conversation = conversation
        self._language = language_named(lang)
        self._other_keys = other_keys
        self._teller = ProbeTeller(language=self._language, other_keys=other_keys)

    async def probe(self, events: ProbeEvents) -> ProbeResult:
        """Ask the receiver, and return the result; errors of the network are results, too."""
        try:
            finding = await self._ask(events)
        except Unanswered as reason:
            finding = _Finding(Verdict.NOT_PROBED, str(reason), hint=_LOOK)
        return ProbeResult(
            verdict=finding.verdict,
            summary=f"{finding.summary} {_effects(self._conversation)}".rstrip(),
            hint=finding.hint,
            mistakes=finding.mistakes,
            requests=self._conversation.requests,
            accepted=tuple(self._conversation.accepted),
        )

    async def _ask(self, events: ProbeEvents) -> _Finding:
        finding = _RIGHT
        accepted: ProbeEvent | None = None
        for event in events.asked:
            right = await self._conversation.right(event)
            if not right.accepted:
                finding = await self._refused(event, right, events.hard, accepts=accepted)
                if finding.verdict is not Verdict.ACCEPTS_RIGHT:
                    break
                continue
            if accepted is None:
                wrong = await self._conversation.wrong(event)
                if wrong.accepted:
                    return self._accepts_anything(wrong)
            accepted = event
        return finding

    async def _refused(
        self,
        event: ProbeEvent,
        right: Reply,
        hard: Sequence[ProbeEvent],
        *,
        accepts: ProbeEvent | None,
    ) -> _Finding:
        """Find out why the receiver refuses the right signature of an event."""
        answer = right.evidence.answer_body or b""
        if told := self._teller.told_by_answer(answer, right.signed.received):
            return _named(told)
        wrong = await self._conversation.wrong(event)
        if (result := await self._without_suspects(event, right, wrong)) is not None:
            return result
        found = await self._accepted_group(event, right, wrong)
        told = () if found is None else await self._told(*found, hard)
        last = await self._conversation.right(event)
        if last.accepted:
            return _RIGHT._replace(hint=_LATE)
        # A receiver that answers otherwise after some wrong signatures let nothing through.
        if found is not None and (found[1].accepted or last.status == right.status):
            return _named(told)
        if accepts is not None and not event.is_ordinary:
            return _RIGHT._replace(hint=_refuses_odd(last))
        return self._none_fits(last)

    async def _without_suspects(
        self, event: ProbeEvent, right: Reply, wrong: Reply
    ) -> _Finding | None:
        """Return what the answers to a right and a wrong signature say, if that is enough."""
        if wrong.accepted:
            return self._accepts_anything(wrong)
        if {right.status, wrong.status} <= _ABOUT_PLACES:
            raise Unanswered(f"The receiver answers {right.status} to every signature.")
        if right.status != wrong.status:
            again = await self._conversation.right(event)
            if again.status == right.status:
                return _tells_apart(again, wrong)
        return None

    async def _accepted_group(
        self, event: ProbeEvent, right: Reply, wrong: Reply
    ) -> tuple[Group, Reply] | None:
        """Return the suspects whose signature the receiver lets through twice."""
        suspects = Suspects(
            right.signed.received,
            place=wrong_place(self._conversation.assumptions),
            other_keys=self._other_keys,
            language=self._language,
        )
        for group in suspects.groups():
            if await self._let_through(group[0], event, right, wrong):
                again = await self._let_through(group[0], event, right, wrong)
                if again is not None:
                    return group, again
        return None

    async def _let_through(
        self, suspect: Suspect, event: ProbeEvent, right: Reply, wrong: Reply
    ) -> Reply | None:
        """Return the answer to a suspect's signature, if the receiver took it for right."""
        reply = await self._conversation.of(suspect, event)
        if reply is None or reply.accepted:
            return reply
        # A missing header may be refused in another way than a wrong one.
        is_passed = not suspect.is_in_header and _is_refused_otherwise(reply, right, wrong)
        return reply if is_passed else None

    async def _told(
        self, group: Group, reply: Reply, hard: Sequence[ProbeEvent]
    ) -> tuple[Candidate, ...]:
        """Return the mistake of a group; events that are harder to write tell several apart."""
        suspect = group[0]
        for event in hard if len(group) > 1 and reply.accepted else ():
            if (found := await self._told_apart(group, event)) is not None:
                suspect, reply = found
                break
        return self._teller.named(suspect, reply.signed.received, reply.signature)

    async def _told_apart(self, group: Group, event: ProbeEvent) -> tuple[Suspect, Reply] | None:
        """Return the suspect of a group that the receiver accepts in this event, and its reply."""
        request = self._conversation.next_event(event).received
        differing = {each.signature(request): each for each in reversed(group)}
        for suspect in reversed(differing.values() if len(differing) > 1 else ()):
            reply = await self._conversation.of(suspect, event)
            if reply is not None and reply.accepted:
                return suspect, reply
        return None

    def _accepts_anything(self, wrong: Reply) -> _Finding:
        return _Finding(
            Verdict.ACCEPTS_ANYTHING,
            "The receiver accepts a signature that is no signature of the body.",
            hint="If it verifies after its answer, only its log can tell.",
            mistakes=(self._teller.nothing_compared(wrong.signed.received),),
        )

    def _none_fits(self, last: Reply) -> _Finding:
        return _Finding(
            Verdict.NONE_FITS,
            f"The receiver refuses the right signature with {last.status}, and that of every "
            "known mistake.",
            hint="Check its secret first. A receiver that hashes the whole body refuses every "
            "request, because a body cannot hold its own signature. So let it answer with the "
            "signature that it computes, and ask again. The list says what it would compute from "
            "the last request.",
            mistakes=self._teller.not_askable(last.signed.received),
        )


def _named(mistakes: tuple[Candidate, ...]) -> _Finding:
    return _Finding(Verdict.NAMED, "The receiver makes a known mistake.", mistakes=mistakes)


def _tells_apart(right: Reply, wrong: Reply) -> _Finding:
    return _Finding(
        Verdict.ACCEPTS_RIGHT,
        f"The receiver answers {right.status} to the right signature, and {wrong.status} to a "
        "wrong one. So the signature is not the reason.",
    )


def _is_refused_otherwise(reply: Reply, right: Reply, wrong: Reply) -> bool:
    """Return whether a signature was taken for right, and the event was refused then."""
    # A receiver may refuse a text that is not 64 hex digits in another way.
    is_alike = SIGNATURE.fullmatch(reply.signature) is not None
    return is_alike and right.status == wrong.status != reply.status


def _refuses_odd(last: Reply) -> str:
    return (
        f"It answers {last.status} to an event with unusual texts or members, and no known mistake "
        "in the signature explains that. Perhaps it checks the content."
    )


def _effects(conversation: Conversation) -> str:
    sent, accepted = conversation.requests, len(conversation.accepted)
    if not sent:
        return ""
    of = f"The probe sent {sent} request{'' if sent == 1 else 's'}"
    if not accepted:
        return f"{of}, and the receiver accepted none."
    return f"{of}. The receiver accepted {accepted} of them, and may have acted on these."


#: Pairs of a label (``the secret of Acme``) and a secret that a receiver may use by mistake.
OtherSecrets: TypeAlias = Iterable[tuple[str, str]]


def prober_of(  # noqa: PLR0913 - a webhook, what sends, and where ids and time come from
    webhook: WebhookSettings,
    *,
    settled_by: Callable[[Claimed], Awaitable[Settlement]],
    clock: Clock,
    ids: Ids,
    headers: Headers = (),
    assume: Mapping[str, str] | None = None,
    after: datetime | None = None,
    lang: str | None = None,
    other_secrets: OtherSecrets = (),
) -> Prober:
    """Return the prober of a webhook's receiver.

    Args:
        webhook: its URL, its secret, and how its certificate is verified.
        settled_by: makes an attempt, such as ``Sender.send``.
        clock: the source of time.
        ids: the source of the documents' ids.
        headers: headers of the product beside those of the envelope.
        assume: the assumptions of the requests.
        after: an instant that all events of the probe are later than.
        lang: the receiver's language, such as ``php``, for the repair.
        other_secrets: labels and secrets that the receiver may use by mistake.

    Raises:
        InvalidValue: the secret is empty, or there are no repairs for the language.
    """
    if not webhook.secret:
        raise InvalidValue("The secret is empty.", hint="Give the webhook's secret.")
    assumed = {**(assume or {})}

    async def send(sealed: SealedRequest, /, *, event: str, triggered_at: datetime) -> Evidence:
        request = single_request(
            webhook,
            event=event,
            triggered_at=to_milliseconds(triggered_at),
            headers=(*sealed.headers, *headers),
            body=sealed.body,
            assume=assumed,
            now=to_milliseconds(clock.now()),
        )
        return (await settled_by(request)).evidence

    now = clock.now()
    conversation = Conversation(
        send=send,
        secret=webhook.secret,
        assumptions=parse_assumptions(assumed),
        new_id=lambda: ids.object_id(now),
        now=now if after is None else max(now, after),
    )
    others = tuple(other_secret(label, secret) for label, secret in other_secrets)
    return Prober(conversation, lang=lang, other_keys=others)
