"""Deliveries over the API: evidence, redelivery, and waiting that needs no sleep."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from leanbe_emitter import Filter, Leanbe, Settings, WaitTimedOut
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access
from tests.support.api_client import Api, open_api
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import HoldingTransport, ScriptedTransport
from tests.support.waiting import PATIENCE_SECONDS

URL = "http://127.0.0.1:9/hooks"
REFUSED = Answer(status=500, reason="No", body=b"not now")


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url, transport=ScriptedTransport(REFUSED)) as api:
        api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
        yield api


def trigger_event(api: Api, event: str) -> str:
    """Raise a synthetic event; return the id of its delivery."""
    told = api("POST", "/products/Acme/events", {"event": event}).json()
    return str(told["delivery"]["_id"])


def ids(answer: httpx.Response) -> list[str]:
    assert answer.is_success, answer.text
    return [each["_id"] for each in answer.json()["items"]]


def test_a_delivery_is_shown_with_the_evidence_of_every_attempt(api: Api) -> None:
    delivery = trigger_event(api, "idea.created")
    api.leanbe.deliver()
    shown = api("GET", f"/deliveries/{delivery[-6:]}").json()
    (attempt,) = shown["attempts"]
    assert (shown["status"], attempt["outcome"]) == ("pending", "refused")
    assert (attempt["answer"]["status"], attempt["answer"]["body"]) == (500, "not now")
    assert attempt["request"]["body"] == api.leanbe.deliveries.get(delivery).event.body.decode()


def test_deliveries_are_narrowed_down_and_go_on_from_their_cursor(api: Api) -> None:
    made = [trigger_event(api, name) for name in ("idea.created", "okr.created", "idea.updated")]
    api.leanbe.deliver()
    assert ids(api("GET", "/deliveries")) == made[::-1]
    assert ids(api("GET", "/deliveries?status=delivered")) == made[:0:-1]
    assert ids(api("GET", "/deliveries?event=idea.*&since=10m&product=Acme")) == [made[2], made[0]]
    assert ids(api("GET", "/deliveries?since=2999-01-01T00:00:00.000Z")) == []
    first = api("GET", "/deliveries?limit=2")
    rest = api("GET", f"/deliveries?limit=2&cursor={first.json()['cursor']}")
    assert ids(first) + ids(rest) == made[::-1]


def test_one_is_redelivered_by_owing_its_event_again(api: Api) -> None:
    old = trigger_event(api, "idea.created")
    new = api("POST", f"/deliveries/{old}/redeliver")
    assert (new.status_code, new.json()["status"]) == (201, "pending")
    assert new.json()["_id"] != old
    assert new.json()["event"] == api("GET", f"/deliveries/{old}").json()["event"]


def test_many_are_redelivered_as_a_job_each_of_them_once(api: Api) -> None:
    for name in ("idea.created", "idea.updated", "okr.created"):
        trigger_event(api, name)
    api("POST", "/products", {"name": "Globex"})
    wanted = {"status": "pending", "event": "idea.*", "job": "again"}
    for made in (2, 0):
        done = api("POST", "/deliveries/redeliver", wanted).json()
        assert done == {"job": "again", "made": made, "withoutUrl": 0}
    assert len(ids(api("GET", "/deliveries"))) == 5


@pytest.mark.parametrize("path", ["/deliveries/redeliver", "/deliveries/redeliver/dry-run"])
def test_a_jobs_name_with_another_filter_is_a_conflict(api: Api, path: str) -> None:
    trigger_event(api, "idea.created")
    api("POST", "/deliveries/redeliver", {"event": "idea.*", "job": "again"})
    refused = api("POST", path, {"event": "okr.*", "job": "again"})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    said = "The job 'again' redelivers: event idea.*. This asks for: event okr.*."
    assert refused.json()["detail"] == said


def test_a_dry_run_lists_what_would_be_redelivered_and_owes_nothing(api: Api) -> None:
    made = [trigger_event(api, name) for name in ("idea.created", "idea.updated", "okr.created")]
    wanted = {"status": "pending", "event": "idea.*", "job": "again"}
    assert ids(api("POST", "/deliveries/redeliver/dry-run", wanted)) == made[:2]
    assert len(ids(api("GET", "/deliveries"))) == 3
    api("POST", "/deliveries/redeliver", wanted)
    assert ids(api("POST", "/deliveries/redeliver/dry-run", wanted)) == []


def test_a_dry_run_lists_in_parts_as_all_lists_do(api: Api) -> None:
    made = [trigger_event(api, name) for name in ("idea.created", "idea.updated", "okr.created")]
    path, wanted = "/deliveries/redeliver/dry-run", {"status": "pending"}
    first = api("POST", f"{path}?limit=2", wanted)
    rest = api("POST", f"{path}?cursor={first.json()['cursor']}", wanted)
    assert (ids(first), ids(rest)) == (made[:2], made[2:])
    assert rest.json()["cursor"] is None
    assert api("POST", f"{path}?limit=201", wanted).status_code == 422


def test_a_request_can_be_seen_as_a_command_that_repeats_it(api: Api) -> None:
    api("PUT", "/products/Acme/webhook", {"url": URL})
    delivery = trigger_event(api, "idea.created")
    api.leanbe.deliver()
    command = api("GET", f"/deliveries/{delivery}/code").json()["text"]
    assert command == api.leanbe.deliveries.get(delivery).code().text


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_command_for_a_request_has_no_value_of_a_header_that_the_product_set(
    api: Api, *, is_sent: bool
) -> None:
    headers = {"Authorization": "Bearer hush"}
    api("PUT", "/products/Acme/webhook", {"url": URL, "headers": headers})
    delivery = trigger_event(api, "idea.created")
    if is_sent:
        api.leanbe.deliver()
    command = api("GET", f"/deliveries/{delivery}/code").json()["text"]
    assert "Authorization: ********" in command
    assert "hush" not in command
    assert "Bearer hush" in api.leanbe.deliveries.get(delivery).code().text


def test_a_command_for_a_request_shows_the_signature_where_an_assumption_puts_it(api: Api) -> None:
    api("PUT", "/products/Acme/webhook", {"url": URL})
    api("PUT", "/products/Acme/assumptions/signature_location", {"value": "header"})
    delivery = trigger_event(api, "idea.created")
    command = api("GET", f"/deliveries/{delivery}/code").json()["text"]
    assert command == api.leanbe.deliveries.get(delivery).code().text


def test_no_command_repeats_what_was_never_sent_and_goes_nowhere(api: Api) -> None:
    delivery = trigger_event(api, "idea.created")
    api("DELETE", "/products/Acme/webhook")
    assert api("GET", f"/deliveries/{delivery}/code").status_code == 409


def test_a_discarded_delivery_is_cancelled(api: Api) -> None:
    ideas, okr = trigger_event(api, "idea.created"), trigger_event(api, "okr.created")
    assert ids(api("POST", "/deliveries/discard", {"event": "idea.*"})) == [ideas]
    assert ids(api("POST", "/deliveries/discard", {"olderThan": "1h"})) == []
    assert ids(api("POST", "/deliveries/discard", {"ids": [okr]})) == [okr]
    assert ids(api("GET", "/deliveries?status=cancelled")) == [okr, ideas]
    again = api("POST", "/deliveries/discard", {"ids": [okr]})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert again.json()["detail"] == f"The delivery {okr} is cancelled already."


@pytest.mark.parametrize("verb", ["redeliver", "redeliver/dry-run", "discard"])
@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": ["649d2ac49c3a1954e6a2e421"], "status": "pending"}]
)
def test_deliveries_have_to_be_selected_either_by_ids_or_by_a_filter(
    api: Api, verb: str, body: Any
) -> None:
    assert api("POST", f"/deliveries/{verb}", body).status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "event=ideas",
        "since=soon",
        "limit=0",
        "limit=201",
        "cursor=1",
        "x=1",
        "limit=1&limit=2",
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(api: Api, query: str) -> None:
    assert api("GET", f"/deliveries?{query}").status_code == 422


def test_deliveries_are_those_since_an_instant_of_any_form(api: Api) -> None:
    delivery = trigger_event(api, "idea.created")
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dt%H:%M:%S.0z"):
        since = f"{api.leanbe.clock.now() - timedelta(minutes=1):{form}}"
        assert ids(api("GET", f"/deliveries?since={since}")) == [delivery]
    refused = api("GET", "/deliveries?since=0000-01-01T00:00:00Z")
    assert (refused.status_code, "year" in refused.json()["hint"]) == (422, True)


def test_a_refused_age_names_both_forms_of_one(api: Api) -> None:
    for path in ("/deliveries?since=2026-11-26", "/deliveries?since=now"):
        refused = api("GET", path).json()
        assert "is no duration" in refused["detail"]
        assert "500ms" in refused["hint"]
        assert "2026-11-26T00:00:00Z" in refused["hint"]


@pytest.mark.parametrize("path", ["redeliver", "redeliver/dry-run", "discard"])
def test_a_body_that_selects_deliveries_twice_or_not_at_all_is_told_which(
    api: Api, path: str
) -> None:
    twice = api("POST", f"/deliveries/{path}", {"ids": ["649d2a"], "event": "*"})
    assert (twice.status_code, twice.json()["detail"]) == (
        422,
        "The body has both ids and a filter.",
    )
    none = api("POST", f"/deliveries/{path}", {})
    assert (none.status_code, "selects no deliveries" in none.json()["detail"]) == (422, True)


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_a_paging_parameter_in_the_body_is_sent_to_the_query(api: Api, name: str) -> None:
    refused = api("POST", "/deliveries/redeliver/dry-run", {"event": "*", name: 1})
    assert refused.status_code == 422
    assert refused.json()["detail"] == f"{name} is no member of the body: it belongs in the query."
    assert refused.json()["hint"].endswith(f"/deliveries/redeliver/dry-run?{name}=...")
    asked = api("POST", f"/deliveries/redeliver/dry-run?{name}=x", {"event": "*"})
    assert "There is no parameter" not in asked.json()["detail"]


def test_a_wait_answers_at_once_where_enough_is_there(api: Api) -> None:
    trigger_event(api, "idea.created")
    settled = trigger_event(api, "okr.created")
    api.leanbe.deliver()
    assert ids(api("POST", "/deliveries/wait", {"count": 1, "timeout": 0})) == [settled]


def test_a_cursor_that_was_never_handed_out_is_refused(api: Api) -> None:
    trigger_event(api, "idea.created")
    for ahead in ("99999999999-0-0", "0-99999999999-0"):
        refused = api("POST", "/deliveries/wait", {"after": ahead, "timeout": 0})
        assert (refused.status_code, "beyond the end" in refused.json()["detail"]) == (422, True)


def test_a_cursor_of_before_a_reset_goes_on(api: Api) -> None:
    trigger_event(api, "idea.created")
    cursor = str(api.leanbe.journal.follow_cursor())
    api("POST", "/reset")
    assert api("POST", "/deliveries/wait", {"after": cursor, "timeout": 0}).status_code == 200


def test_a_wait_in_vain_tells_what_did_arrive(api: Api) -> None:
    trigger_event(api, "idea.created")
    settled = trigger_event(api, "okr.created")
    api.leanbe.deliver()
    answer = api("POST", "/deliveries/wait", {"count": 2, "timeout": 0})
    assert (answer.status_code, answer.json()["code"]) == (408, "timed_out")
    assert "1 of 2 deliveries came" in answer.json()["detail"]
    assert [each["_id"] for each in answer.json()["items"]] == [settled]


def test_a_wait_in_vain_for_what_was_refused_shows_the_answer_and_how_to_explain_it() -> None:
    unverified = Answer(status=401, reason="Unauthorized", body=b"wrong signature")
    with open_api(transport=ScriptedTransport(unverified)) as api:
        api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
        refused = trigger_event(api, "idea.created")
        api.leanbe.deliver()
        hint = api("POST", "/deliveries/wait", {"event": "idea.*", "timeout": 0}).json()["hint"]
    told = f"idea.created  …{refused[-6:]}  refused: 401 wrong signature; attempt 2 is due at"
    assert hint.startswith(told)
    assert f"POST /api/v1/deliveries/{refused}/explain" in hint


@pytest.mark.parametrize(
    ("recorded", "awaited", "hint"),
    [
        (["okr.created"], {"event": "okr.*"}, "never attempted; it is due: is a worker running?"),
        (["okr.created"], {"event": "idea.*"}, "No such delivery is pending."),
        ([], {"product": "Bare"}, "The product 'Bare' has no webhook URL: its events are recorded"),
    ],
)
def test_a_wait_in_vain_says_why_nothing_comes(
    api: Api, recorded: list[str], awaited: dict[str, str], hint: str
) -> None:
    api("POST", "/products", {"name": "Bare"})
    for event in recorded:
        trigger_event(api, event)
    answer = api("POST", "/deliveries/wait", {**awaited, "timeout": 0}).json()
    assert hint in answer["hint"]
    which = Filter(event=awaited.get("event"), product=awaited.get("product"))
    with pytest.raises(WaitTimedOut) as caught:
        api.leanbe.deliveries.wait_for(which, timeout_seconds=0)
    assert hint in caught.value.hint
    assert caught.value.hint.endswith(" leanbe.deliveries.list() shows what is pending.")
    assert caught.value.hints.request.endswith(" GET /api/v1/deliveries shows what is pending.")


def test_a_wait_in_vain_for_what_was_given_up_says_how_it_ended(api: Api) -> None:
    api("PUT", "/products/Acme/assumptions/max_attempts", {"value": "1"})
    trigger_event(api, "idea.created")
    api.leanbe.deliver()
    wanted = {"event": "idea.*", "status": "delivered", "timeout": 0}
    hint = api("POST", "/deliveries/wait", wanted).json()["hint"]
    assert "refused: 500 not now; it is exhausted, and no attempt is left." in hint


def test_a_wait_in_vain_names_what_has_to_end_first_of_a_strict_product(api: Api) -> None:
    api("PUT", "/products/Acme/assumptions/ordering", {"value": "strict"})
    first, held = trigger_event(api, "idea.created"), trigger_event(api, "okr.created")

    def hint() -> str:
        answer = api("POST", "/deliveries/wait", {"event": "okr.*", "timeout": 0}).json()
        return str(answer["hint"])

    before = f"okr.created  …{held[-6:]}  pending, never attempted; before it comes (ordering ="
    before = f"{before} strict) idea.created  …{first[-6:]}"
    due = "pending, never attempted; it is due: is a worker running?"
    assert hint().startswith(f"{before}  {due}")
    claimed = api.leanbe._engine.queue.claim_one(first)
    assert hint().startswith(f"{before}  pending, never attempted; attempt 1 is in flight")
    api.leanbe._engine.queue.release([claimed] if claimed else [])
    api.leanbe.deliver()
    assert hint().startswith(f"{before}  refused: 500 not now; attempt 2 is due at 2")
    api.leanbe.deliveries.discard([first])
    assert hint().startswith(f"okr.created  …{held[-6:]}  {due}")


@run_in_loop
async def test_a_wait_in_vain_says_that_an_attempt_is_under_way(database_url: str) -> None:
    receiver = HoldingTransport()
    async with Leanbe(database_url, transport=receiver) as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
        async with leanbe.working():
            product.ideas.create(title="Dark mode")
            await receiver.sent(1)
            waits = (
                leanbe.wait_until_idle(timeout_seconds=0),
                leanbe.deliveries.wait_for("idea.*", timeout_seconds=0),
            )
            for wait in waits:
                with pytest.raises(WaitTimedOut) as caught:
                    await wait
                told = "attempt 1 is in flight; if its worker is gone, it is due again when its"
                assert f"never attempted; {told} lease ends, at 2" in caught.value.hint
                assert "by the machine's clock" not in caught.value.hint
            receiver.let_go()


def test_a_wait_in_vain_says_that_no_product_has_a_url() -> None:
    with open_api() as api:
        hint = api("POST", "/deliveries/wait", {"event": "idea.*", "timeout": 0}).json()["hint"]
    assert hint.startswith("No product has a webhook URL: its events are recorded")


def test_a_wait_for_nothing_is_for_nothing_to_be_due(api: Api) -> None:
    assert ids(api("POST", "/deliveries/wait")) == []
    trigger_event(api, "idea.created")
    assert api("POST", "/deliveries/wait", {"timeout": 0}).status_code == 408
    api.leanbe.deliver()
    assert ids(api("POST", "/deliveries/wait", {"timeout": 0})) == []


def test_only_what_came_behind_the_cursor_of_a_write_counts(api: Api) -> None:
    trigger_event(api, "okr.created")
    trigger_event(api, "okr.updated")
    api.leanbe.deliver()
    made = api("POST", "/products/Acme/ideas", {"title": "Dark mode"})
    after = {"after": made.headers["Leanbe-Emitter-Cursor"], "event": "*", "timeout": 0}
    assert api("POST", "/deliveries/wait", after).status_code == 408
    api.leanbe.deliver()
    found = api("POST", "/deliveries/wait", {**after, "timeout": 30}).json()["items"]
    assert [each["event"]["event"] for each in found] == ["idea.created"]


def test_a_wait_with_a_cursor_alone_is_for_all_that_came_behind_it_to_be_attempted(
    api: Api,
) -> None:
    api("POST", "/deliveries/discard", {"ids": [trigger_event(api, "okr.created")]})
    made = api("POST", "/products/Acme/ideas", {"title": "Dark mode"})
    after = {"after": made.headers["Leanbe-Emitter-Cursor"], "timeout": 0}
    early = api("POST", "/deliveries/wait", after)
    api.leanbe.deliver()
    (found,) = api("POST", "/deliveries/wait", after).json()["items"]
    assert (early.status_code, early.json()["items"][0]["attempts"]) == (408, [])
    assert (found["event"]["event"], found["status"]) == ("idea.created", "pending")
    assert found["attempts"][0]["answer"]["status"] == 500


@pytest.mark.parametrize(
    "body",
    [
        {"count": 0},
        {"timeout": -1},
        {"timeout": "1s"},
        {"after": "then"},
        {"status": "done"},
        {"event": "ideas"},
    ],
)
def test_a_wait_that_cannot_end_well_is_refused_at_once(api: Api, body: Any) -> None:
    assert api("POST", "/deliveries/wait", body).status_code == 422


@run_in_loop
async def test_a_wait_ends_when_the_delivery_is_settled_however_many_wait() -> None:
    async with Leanbe(transport=ScriptedTransport()) as leanbe:
        product = leanbe.products.create("Acme", webhook_url=URL)
        app = create_app(leanbe, settings=Settings(), access=Access())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            body = {"event": "idea.*", "timeout": 30}
            waiting = [
                asyncio.create_task(client.post("/api/v1/deliveries/wait", json=body))
                for _ in range(30)
            ]
            async with leanbe.working(watcher=app.state.change_notifier):
                idea = await asyncio.to_thread(product.ideas.create, title="Dark mode")
                answers = await asyncio.gather(*waiting)
        for answer in answers:
            assert answer.status_code == 200
            assert answer.json()["items"][0]["event"]["payload"]["_id"] == idea.id


@run_in_loop
async def test_waiting_requests_are_answered_when_the_server_stops() -> None:
    async with Leanbe() as leanbe:
        leanbe.products.create("Acme")
        app = create_app(leanbe, settings=Settings(), access=Access())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            body = {"count": 1, "timeout": 3600}
            waiting = asyncio.create_task(client.post("/api/v1/deliveries/wait", json=body))
            await asyncio.sleep(0)
            app.state.change_notifier.stop()
            answer = await waiting
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


@run_in_loop
async def test_nobody_waits_for_a_client_that_has_gone() -> None:
    messages: list[Any] = [
        {"type": "http.request", "body": b'{"count": 1, "timeout": 3600}'},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(_: Any) -> None:
        """Nobody is there."""

    async with Leanbe() as leanbe:
        app = create_app(leanbe, settings=Settings(), access=Access())
        path = "/api/v1/deliveries/wait"
        headers = [(b"host", b"localhost")]
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": headers}
        scope |= {"query_string": b"", "root_path": "", "http_version": "1.1"}
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app(scope, receive, send)
