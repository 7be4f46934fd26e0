"""Validators of payloads, made once a process, by a quicker validator than the package's own."""

from functools import cache

from jsonschema_rs import Draft202012Validator

from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet
from leanbe_emitter.wire.payloads.schema import json_schema


@cache
def payload_validator(event: str, assumptions: AssumptionSet = ARTICLE) -> Draft202012Validator:
    """Return the validator of an event's payload under these assumptions."""
    return Draft202012Validator(json_schema(event, assumptions))
