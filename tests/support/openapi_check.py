"""Check of an answer against the OpenAPI document: status, headers and content."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from jsonschema import Draft202012Validator

#: Statuses of requests that match no operation.
_WITHOUT_OPERATION = (404, 405)


def check_against_openapi(
    document: Mapping[str, Any], method: str, path: str, answer: httpx.Response
) -> None:
    """Fail if a response does not what the document describes."""
    operation = _operation(document, method, path)
    if operation is None:
        assert answer.status_code in _WITHOUT_OPERATION
        return
    status = str(answer.status_code)
    assert status in operation["responses"], (
        f"the document lists no status {status} for {method} {path}"
    )
    promised = operation["responses"][status]
    assert set(promised.get("headers", {})) <= {name.title() for name in answer.headers}, (
        answer.headers
    )
    if not answer.content:
        assert "content" not in promised
        return
    schema = promised["content"][answer.headers["content-type"]]["schema"]
    whole = {**schema, "components": document["components"]}
    errors = [
        f"{each.json_path}: {each.message}"
        for each in Draft202012Validator(whole).iter_errors(answer.json())
    ]
    assert not errors, errors


def _operation(document: Mapping[str, Any], method: str, path: str) -> Any:
    asked = path.partition("?")[0]
    templates = sorted(document["paths"], key=lambda each: each.count("{"))
    for template in templates:
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, asked):  # the template with the fewest variables comes first
            return document["paths"][template].get(method.lower())
    return None
