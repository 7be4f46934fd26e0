"""The content of a seed file is there at the beginning and after each reset, without events."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from leanbe_emitter import Conflict, InvalidTarget, InvalidValue, Leanbe, Product
from leanbe_emitter.seeds import read_seed
from leanbe_emitter.wire.instants import parse_instant

pytestmark = pytest.mark.any_database

SEED = """\
products:
  - name: Acme
    _id: 649bf71bbeac6ade0bed7245
    webhook:
      url: http://127.0.0.1:9/hooks
      secret: whsec_test
      headers: {X-Team: blue}
    owner: {email: john@example.com, firstName: John, _id: 63caa6a0575db9607cd0d171}
    assumptions: {max_attempts: 3, restamp_on_retry: true}
    statuses: [Open, Closed]
    users:
      - {email: alice@example.com, firstName: Alice, _id: 63caa6a0575db9607cd0d172}
    customers:
      - {email: ana@example.com, firstName: Ana, _id: 649d2b399c3a1954e6a2e4b7}
    ideaRequests:
      - {title: Dark mode please, customer: ana@example.com, _id: 64a28ec49c3a1954e6a2e502}
      - {title: Free pizza, customer: cleo@example.com, status: ignored}
    ideas:
      - title: Dark mode
        _id: 649d2ac49c3a1954e6a2e421
        requests: [Dark mode please]
        tags: [ui]
        owner: 63caa6a0575db9607cd0d171
        assigned: ALICE@example.com
        upvotedBy: [ana@example.com]
        downvotedBy: [cleo@example.com]
    backlogItems:
      - {idea: Dark mode, status: Closed, _id: 64a290a59c3a1954e6a2e505}
      - {title: Fix the login}
    okrs:
      - title: Delight
        _id: 64a291969c3a1954e6a2e506
        startDate: 2026-10-01
        keyResults:
          - {title: Score, targetValue: 60, currentValue: 30, _id: 64a291969c3a1954e6a2e507}
    announcements:
      - {title: Dark mode is here, status: published, _id: 64a2924a9c3a1954e6a2e509}
  - name: Globex
    customers:
      - {email: bea@example.com, products: [Acme]}
"""


@pytest.fixture
def leanbe(database_url: str) -> Iterator[Leanbe]:
    with Leanbe(database_url) as leanbe:
        yield leanbe


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    return write_seed(tmp_path, SEED)


def write_seed(folder: Path, text: str) -> Path:
    path = folder / "seed.yaml"
    path.write_text(text)
    return path


def documents(product: Product) -> dict[str, list[dict[str, Any]]]:
    """Return all that a product has, by kind."""
    kinds = ("customers", "idea_requests", "ideas", "backlog_items", "okrs", "announcements")
    return {kind: [each.document() for each in getattr(product, kind).list()] for kind in kinds}


def test_everything_is_as_the_file_has_it(leanbe: Leanbe, seed: Path) -> None:
    assert leanbe.seeds.plant(seed)
    acme = leanbe.products.get("649bf71bbeac6ade0bed7245")
    assert (acme.name, acme.statuses) == ("Acme", ("Open", "Closed"))
    assert acme.assumptions == {"max_attempts": "3", "restamp_on_retry": "true"}
    webhook = acme.webhook
    assert (webhook.url, webhook.secret) == ("http://127.0.0.1:9/hooks", "whsec_test")
    assert webhook.headers == (("X-Team", "blue"),)
    assert [(each.id[-3:], each.email) for each in acme.users.list()] == [
        ("171", "john@example.com"),
        ("172", "alice@example.com"),
    ]
    found = documents(acme)
    assert [each["email"] for each in found["customers"]] == [
        "ana@example.com",
        "cleo@example.com",
        "bea@example.com",
    ]
    assert [each["status"] for each in found["idea_requests"]] == ["attached", "ignored"]
    (idea,) = found["ideas"]
    assert idea["ideaRequests"] == [{"id": "64a28ec49c3a1954e6a2e502", "title": "Dark mode please"}]
    assert (idea["_id"], idea["upvotes"], idea["promoted"]) == ("649d2ac49c3a1954e6a2e421", 1, True)
    assert (idea["owner"]["firstName"], idea["assigned"]["firstName"]) == ("John", "Alice")
    promoted, fixed = found["backlog_items"]
    assert (promoted["_id"], promoted["status"]) == ("64a290a59c3a1954e6a2e505", "Closed")
    assert promoted["idea"] == {"_id": idea["_id"], "title": "Dark mode"}
    assert (fixed["title"], fixed["status"]) == ("Fix the login", "Open")
    (okr,) = found["okrs"]
    assert (okr["progress"], okr["startDate"]) == (50, "2026-10-01T00:00:00.000Z")
    assert okr["keyResults"][0]["_id"] == "64a291969c3a1954e6a2e507"
    assert found["announcements"][0]["status"] == "published"


def test_planting_records_no_event_and_no_delivery(leanbe: Leanbe, seed: Path) -> None:
    cursor = leanbe.journal.follow_cursor()
    leanbe.seeds.plant(seed)
    assert list(leanbe.events.list()) == []
    assert leanbe.is_idle()
    assert list(leanbe.journal.read_all(cursor)) == []


def test_the_first_action_after_a_seed_is_later_and_raises_an_event(
    leanbe: Leanbe, seed: Path
) -> None:
    leanbe.seeds.plant(seed)
    acme = leanbe.products.get("Acme")
    (idea,) = acme.ideas.list()
    acme.ideas.upvote(idea)
    (event,) = leanbe.events.list()
    assert (event.name, event.sequence) == ("idea.upVoted", 1)
    assert event.payload["updatedAt"] > idea.document()["updatedAt"]


def test_lists_are_in_the_order_of_the_file_whatever_the_ids(
    leanbe: Leanbe, tmp_path: Path
) -> None:
    ids = [f"{9 - number:024x}" for number in range(9)]
    entries = "".join(f"      - {{title: '{each}', _id: '{each}'}}\n" for each in ids)
    leanbe.seeds.plant(write_seed(tmp_path, f"products:\n  - name: Acme\n    ideas:\n{entries}"))
    listed = leanbe.products.only().ideas.list()
    assert [each.id for each in listed] == ids
    assert all(each.created_at < leanbe.clock.now() for each in listed)


def test_a_database_with_products_is_left_as_it_is_until_it_is_reset(
    leanbe: Leanbe, seed: Path
) -> None:
    leanbe.products.create("Mine")
    assert not leanbe.seeds.plant(seed)
    assert [each.name for each in leanbe.products.list()] == ["Mine"]
    leanbe.reset()
    assert [each.name for each in leanbe.products.list()] == ["Acme", "Globex"]


def test_each_reset_by_any_process_plants_it_again(
    leanbe: Leanbe, database_url: str, seed: Path
) -> None:
    leanbe.seeds.plant(seed)
    seed.unlink()
    leanbe.products.get("Acme").ideas.create(title="Light mode")
    leanbe.products.create("Mine")
    with Leanbe(database_url) as elsewhere:
        for _ in range(2):
            elsewhere.reset()
            assert [each.name for each in leanbe.products.list()] == ["Acme", "Globex"]
            assert [each.title for each in leanbe.products.get("Acme").ideas.list()] == [
                "Dark mode"
            ]
            assert list(leanbe.events.list()) == []


def test_a_file_without_products_takes_what_was_kept_away(leanbe: Leanbe, seed: Path) -> None:
    leanbe.seeds.plant(seed)
    assert leanbe.seeds.name() == str(seed)
    leanbe.seeds.plant(write_seed(seed.parent, "products: []"))
    leanbe.reset()
    assert leanbe.products.list() == []


def test_the_reset_of_a_product_plants_what_it_had_and_keeps_its_settings(
    leanbe: Leanbe, seed: Path
) -> None:
    leanbe.seeds.plant(seed)
    acme = leanbe.products.get("Acme")
    before = {
        kind: [each["_id"][-3:] for each in found if each.get("title") != "Fix the login"]
        for kind, found in documents(acme).items()
        if kind not in {"customers", "idea_requests"}
    }
    leanbe.webhooks.set(acme, "http://127.0.0.1:9/other")
    acme.ideas.create(title="Light mode")
    acme.customers.create(email="dan@example.com")
    after = leanbe.products.reset("Acme")
    assert after.webhook.url == "http://127.0.0.1:9/other"
    found = documents(after)
    assert before == {
        kind: [each["_id"][-3:] for each in found[kind] if each.get("title") != "Fix the login"]
        for kind in before
    }
    assert "dan@example.com" not in [each["email"] for each in found["customers"]]
    assert list(leanbe.events.list()) == []


def test_each_reset_plants_the_same_documents_with_the_same_ids(
    database_url: str, seed: Path
) -> None:
    texts = []
    with Leanbe(database_url, clock="manual") as leanbe:
        leanbe.clock.set(parse_instant("2026-01-01T00:00:00.000Z"))
        leanbe.seeds.plant(seed)
        for _ in range(2):
            leanbe.clock.advance(hours=1)
            leanbe.products.get("Acme").ideas.create(title="Light mode")
            leanbe.reset(ids="restart")
            texts.append(documents(leanbe.products.get("Acme")))
    assert texts[0] == texts[1]
    assert texts[0]["announcements"][0]["createdAt"] < "2026-01-01"


def test_secrets_of_the_environment_are_looked_up_once(leanbe: Leanbe, tmp_path: Path) -> None:
    file = write_seed(
        tmp_path,
        "products: [{name: Acme, webhook: {url: 'http://127.0.0.1:9/', secret: 'env:HOOK'}}]",
    )
    seed = read_seed(file, {"HOOK": "env:whsec"})
    assert "whsec" not in repr(seed)
    leanbe.seeds.plant(seed)
    leanbe.reset()
    assert leanbe.products.only().webhook.secret == "env:whsec"


def test_a_file_of_authorities_is_found_by_whoever_resets(
    leanbe: Leanbe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    monkeypatch.chdir(tmp_path)
    webhook = "{url: 'https://127.0.0.1:9/', caFile: ca.pem}"
    leanbe.seeds.plant(write_seed(tmp_path, f"products: [{{name: Acme, webhook: {webhook}}}]"))
    monkeypatch.chdir("/")
    leanbe.reset()
    assert leanbe.products.only().webhook.ca_file == str(tmp_path / "ca.pem")


REFUSED = {
    "customers:\n    - {email: ana@example.com}\n    - {email: Ana@example.com}": (
        Conflict,
        "seed.yaml:5: The product 'Acme' has a customer 'ana@example.com' already",
    ),
    "webhook:\n      url: ftp://example.com": (InvalidTarget, "seed.yaml:4: "),
    "backlogItems:\n    - {title: A}\n    - {title: B, status: Doing}": (
        InvalidValue,
        "seed.yaml:5: The product 'Acme' has no status 'Doing'",
    ),
    "assumptions: {promote_creates_backlog_item: false}\n    ideas: [{title: A}]\n"
    "    backlogItems:\n      - {idea: A}": (Conflict, "seed.yaml:6: .* makes no backlog item"),
    "ideaRequests: [{title: R}]\n    ideas:\n      - {title: A, requests: [R]}\n"
    "      - {title: B, requests: [R]}": (Conflict, "seed.yaml:6: The request 'R' is attached"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_of_the_domain_is_told_with_its_line_and_leaves_nothing(
    leanbe: Leanbe, tmp_path: Path, text: str
) -> None:
    kind, match = REFUSED[text]
    file = write_seed(tmp_path, f"products:\n  - name: Acme\n    {text}\n")
    with pytest.raises(kind, match=match):
        leanbe.seeds.plant(file)
    assert leanbe.products.list() == []
    assert leanbe.seeds.name() is None


def test_a_reset_that_cannot_plant_deletes_nothing(leanbe: Leanbe, seed: Path) -> None:
    leanbe.seeds.plant(seed)
    acme = leanbe.products.get("Acme")
    for item in acme.backlog_items.list():
        acme.backlog_items.delete(item)
    leanbe.products.set_statuses(acme, ["Other"])
    with pytest.raises(InvalidValue, match=r"seed.yaml, at products.0.backlogItems.0: .*'Closed'"):
        leanbe.products.reset(acme)
    assert len(acme.ideas.list()) == 1


def test_of_two_who_plant_at_once_one_does(postgresql_ready: str, seed: Path) -> None:
    with Leanbe(postgresql_ready) as one, Leanbe(postgresql_ready) as other:
        with ThreadPoolExecutor(2) as threads:
            planted = list(threads.map(lambda each: each.seeds.plant(seed), (one, other)))
        assert sorted(planted) == [False, True]
        assert len(other.products.list()) == 2
