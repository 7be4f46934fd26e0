"""Metrics over HTTP: all that the library counts, of this server alone, in Prometheus' format."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access
from tests.support.api_client import Api, open_api
from tests.support.scripted_transport import ScriptedTransport

URL = "http://a.test/"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url, transport=ScriptedTransport()) as api:
        api.leanbe.products.create("Acme", webhook_url=URL)
        yield api


def samples_of(api: Api) -> dict[str, float]:
    """Return each sample by its name and its labels' values."""
    answer = api.at("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        " ".join([each.name.removeprefix("leanbe_emitter_"), *each.labels.values()]): each.value
        for family in text_string_to_metric_families(answer.text)
        for each in family.samples
    }


def test_everything_that_is_counted_is_there_with_its_meaning(api: Api) -> None:
    api.leanbe.trigger("idea.created")
    api("POST", "/products/Acme/webhook/test")
    samples = samples_of(api)
    assert samples["attempts_total delivered"] == 1
    assert samples["attempt_duration_seconds_count"] == 1
    assert samples["attempt_duration_seconds_bucket +Inf"] == 1
    assert (samples["deliveries_due"], samples["deliveries_in_flight"]) == (1, 0)
    text = api.at("GET", "/metrics").text
    names = [name for name, value in vars(api.leanbe.metrics()).items() if value is not None]
    for name in names:
        meaning = text.partition(f"# HELP leanbe_emitter_{name} ")[2].partition("\n")[0]
        assert meaning.endswith("."), name


def test_a_metric_without_a_value_is_left_out(api: Api) -> None:
    assert "oldest_due_seconds" not in samples_of(api)


def test_each_server_of_a_process_counts_its_own(api: Api, database_url: str) -> None:
    with Leanbe(database_url, transport=ScriptedTransport()) as other:
        others = Api(other, create_app(other, settings=Settings(), access=Access()))
        other.trigger("idea.created")
        assert samples_of(others)["attempts_total delivered"] == 1
    assert samples_of(api)["attempts_total delivered"] == 0


def test_no_url_and_no_secret_is_in_them(api: Api) -> None:
    api.leanbe.trigger("idea.created")
    text = api.at("GET", "/metrics").text
    assert "a.test" not in text
    assert str(api.leanbe.products.only().webhook.secret) not in text


def test_metrics_need_the_token_if_there_is_one() -> None:
    with open_api(access=Access(token="tok_test")) as api:
        assert api.at("GET", "/metrics").status_code == 401
