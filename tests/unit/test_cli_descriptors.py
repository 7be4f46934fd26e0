"""Descriptors of the process, and the connections that a server has without a setting."""

import resource
from collections.abc import Iterator

import pytest

from leanbe_emitter.cli.invocation.process_tuning import (
    connections_by_default,
    raise_descriptor_limit,
)


@pytest.fixture(autouse=True)
def _usual_limit() -> Iterator[None]:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)


@pytest.mark.parametrize(("descriptors", "connections"), [(1024, 512), (4096, 2048), (256, 128)])
def test_connections_get_half_of_the_descriptors(descriptors: int, connections: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
    assert connections_by_default() == connections


def test_the_soft_limit_is_raised_to_the_hard_one_and_connections_to_a_bound() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    raise_descriptor_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    assert connections_by_default() == min(hard // 2, 2048)
