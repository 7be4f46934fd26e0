from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from leanbe_emitter.testing import Receiver

from scores import create_app


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(str(tmp_path / "ideas.db"), secret="whsec_test")


@pytest.fixture
def leanbe_receiver(app: Flask) -> Receiver:
    return Receiver(app, path="/hooks/leanbe", secret="whsec_test")


@pytest.fixture
def ideas(app: Flask) -> Callable[[], dict[str, int]]:
    return lambda: app.test_client().get("/ideas").get_json()
