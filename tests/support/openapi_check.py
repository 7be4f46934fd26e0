"""Check of answers against the OpenAPI document: status, headers and content."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
from jsonschema_rs import Draft202012, Draft202012Validator, Registry

#: Statuses of requests that match no operation.
_WITHOUT_OPERATION = (404, 405)
_DOCUMENT = "urn:openapi"


def component_name(response: Mapping[str, Any]) -> str:
    """Return the name of the component that a response refers to; empty if it refers to none."""
    return str(response.get("$ref", "")).rpartition("/")[2]


class OpenApiCheck:
    """Compares answers with a document; makes the validator of each content once.

    Args:
        document: the OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._paths = document["paths"]
        self._responses = document["components"]["responses"]
        # The template with the fewest variables comes first.
        templates = sorted(self._paths, key=lambda each: each.count("{"))
        self._templates = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", each)), each) for each in templates
        ]
        self._registry = Registry([(_DOCUMENT, dict(document))], draft=Draft202012)
        self._validator = cache(self._new_validator)

    def __call__(self, method: str, path: str, answer: httpx.Response) -> None:
        """Fail if an answer is not what the document describes."""
        template = self._template(path)
        operation = self._paths.get(template, {}).get(method.lower())
        if operation is None:
            assert answer.status_code in _WITHOUT_OPERATION
            return
        status = str(answer.status_code)
        assert status in operation["responses"], (
            f"the document lists no status {status} for {method} {path}"
        )
        where: tuple[str, ...] = ("paths", template, method.lower(), "responses", status)
        promised = operation["responses"][status]
        if name := component_name(promised):
            where = ("components", "responses", name)
            promised = self._responses[name]
        assert set(promised.get("headers", {})) <= {name.title() for name in answer.headers}, (
            answer.headers
        )
        if not answer.content:
            assert "content" not in promised
            return
        media_type = answer.headers["content-type"]
        assert media_type in promised["content"]
        validator = self._validator(*where, "content", media_type, "schema")
        errors = [
            f"{each.instance_path}: {each.message}" for each in validator.iter_errors(answer.json())
        ]
        assert not errors, errors

    def _template(self, path: str) -> str:
        asked = path.partition("?")[0]
        fitting = (each for pattern, each in self._templates if pattern.fullmatch(asked))
        return next(fitting, "")

    def _new_validator(self, *where: str) -> Draft202012Validator:
        steps = (each.replace("~", "~0").replace("/", "~1") for each in where)
        # References of the schema begin at the document that contains it.
        schema = {"$ref": f"{_DOCUMENT}#/{'/'.join(steps).replace('{', '%7B').replace('}', '%7D')}"}
        return Draft202012Validator(schema, registry=self._registry)
