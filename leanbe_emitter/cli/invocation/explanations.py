"""Output of an explanation: why a signature does not match. Two commands print one."""

from collections.abc import Iterator

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict


def print_explanation(invocation: Invocation, explanation: Explanation) -> None:
    """Print an explanation.

    Raises:
        Failed: the explanation names no cause.
    """
    if invocation.output_format in {OutputFormat.JSON, OutputFormat.JSONL}:
        output.print_document(invocation.output_format, explanation.document(), columns=[])
    else:
        for line in _lines(explanation):
            output.print_text(output.printable(line))
    if not explanation.explained:
        raise Failed(_why_not(explanation))


def _why_not(explanation: Explanation) -> str:
    if explanation.verdict is Verdict.BODY_SOUND:
        return "The body is sound. Give the receiver's signature with --got to find its mistake."
    return "No known mistake explains what the receiver computed."


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.summary
    if explanation.hint:
        yield explanation.hint
    for candidate in explanation.mistakes:
        yield ""
        yield candidate.mistake.what
        yield from (f"  gives       {signature}" for signature in candidate.signatures)
        yield f"  JavaScript  {candidate.mistake.fix_javascript}"
        yield f"  Python      {candidate.mistake.fix_python}"
