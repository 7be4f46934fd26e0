from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from leanbe_emitter.testing import Receiver
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from news import ChangeNotifier, create_app, news


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of asynchronous tests; the plugin for them comes with FastAPI."""
    return "asyncio"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'news.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def leanbe_receiver(engine: Engine) -> Receiver:
    app = create_app(engine, secret="whsec_test")
    return Receiver(app, path="/hooks/leanbe", secret="whsec_test")


@pytest.fixture
def page(engine: Engine) -> Callable[[], ChangeNotifier]:
    """The news that the page shows now."""

    def shown() -> ChangeNotifier:
        with Session(engine) as session:
            return news(session)

    return shown
