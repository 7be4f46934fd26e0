"""Output of an explanation: why a signature does not match. Two commands print one."""

from collections.abc import Iterator

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.wire.explain.differences import Difference
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict


def print_explanation(invocation: Invocation, explanation: Explanation) -> None:
    """Print an explanation.

    Raises:
        Failed: the explanation names no cause, and the receiver was not found to be right.
    """
    if invocation.output_format in {OutputFormat.JSON, OutputFormat.JSONL}:
        output.print_document(invocation.output_format, explanation.document(), columns=[])
    else:
        for line in _lines(explanation):
            output.print_text(output.printable(line))
    if not explanation.explained and explanation.verdict is not Verdict.ACCEPTS_RIGHT:
        raise Failed(_why_not(explanation))


def _why_not(explanation: Explanation) -> str:
    if explanation.verdict is Verdict.TEXT_RIGHT:
        return "The text is right. Give the receiver's signature with --got to find its mistake."
    if explanation.verdict is Verdict.BODY_SOUND:
        return (
            "The body is sound. Give the receiver's signature with --got to find its mistake, or "
            "ask the receiver with --probe."
        )
    if explanation.verdict is Verdict.NOT_PROBED:
        return "The receiver could not be asked."
    return "No known mistake explains what the receiver computed."


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.summary
    if explanation.hint:
        yield explanation.hint
    for candidate in explanation.mistakes:
        yield ""
        yield candidate.what
        # What a mistake gives for a request of a probe, which the user has not seen, says nothing.
        shown = () if explanation.verdict is Verdict.NAMED else candidate.signatures
        yield from (f"  gives       {signature}" for signature in shown)
        for language in candidate.languages:
            yield f"  {language.label:<10}  {candidate.fixes[language]}"
    if explanation.difference is not None:
        yield from _difference_lines(explanation.difference)


def _difference_lines(difference: Difference) -> Iterator[str]:
    yield ""
    yield (
        f"The first difference is at byte {difference.offset}. "
        f"From byte {difference.shown_from} on:"
    )
    for title, shown, length in (
        ("right", difference.expected, difference.expected_length),
        ("hashed", difference.found, difference.found_length),
    ):
        yield f"  {title:<10}  {shown.decode(errors='replace')}"
        yield f"  {'':<10}  {shown.hex(' ')}  (of {length} bytes)"
