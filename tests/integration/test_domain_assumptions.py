"""Contract d, what belongs to the domain: what each assumption changes, and nothing else."""

from collections.abc import Callable, Mapping

import pytest

from leanbe_emitter import Conflict, InvalidTarget
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from tests.support.actions import ACTIONS, prepare
from tests.support.scene import NOW, RecordedEvents, Scene, record_events, set_scene

Act = Callable[[Scene], object]


def assume(s: Scene, **assumptions: str) -> None:
    """Set assumptions of Acme."""
    for name, value in assumptions.items():
        s.leanbe.assumptions.set(name, value, product=s.product)


def upvote(s: Scene) -> object:
    return s.product.ideas.upvote(s.idea, customer=s.ana)


def downvote(s: Scene) -> object:
    return s.product.ideas.downvote(s.idea, customer=s.ana)


def test_the_defaults_are_the_articles() -> None:
    assumptions = parse_assumptions({})
    assert {
        "idea_request_ref_key": assumptions.idea_request_ref_key.value,
        "vote_model": assumptions.vote_model.value,
        "cascade": assumptions.cascade.value,
        "deleted_payload": assumptions.deleted_payload.value,
        "vote_payload": assumptions.vote_payload.value,
        "customer_fanout": assumptions.customer_fanout.value,
        "unset": assumptions.unset.value,
        "promote_creates_backlog_item": assumptions.promote_creates_backlog_item,
        "vote_touches_updated_at": assumptions.vote_touches_updated_at,
        "include_changes": assumptions.include_changes,
        "require_https": assumptions.require_https,
        "require_confirmed": assumptions.require_confirmed,
    } == {
        "idea_request_ref_key": "id",
        "vote_model": "separate",
        "cascade": "none",
        "deleted_payload": "full",
        "vote_payload": "idea-and-customer",
        "customer_fanout": "all",
        "unset": "omit",
        "promote_creates_backlog_item": True,
        "vote_touches_updated_at": True,
        "include_changes": False,
        "require_https": False,
        "require_confirmed": False,
    }


#: Each assumption with another value, and the actions of ``tests.support.actions`` that it changes.
BEARS_ON: Mapping[tuple[str, str], frozenset[str]] = {
    ("idea_request_ref_key", "_id"): frozenset({"delete idea", "create idea out of a request"}),
    ("vote_model", "toggle"): frozenset({"vote without a customer"}),
    ("vote_model", "net"): frozenset({"switch a vote", "vote without a customer"}),
    ("cascade", "updated"): frozenset(
        {
            "attach request",
            "upvote",
            "switch a vote",
            "vote without a customer",
            "withdraw a vote",
            "promote idea",
            "set status",
        }
    ),
    ("deleted_payload", "id"): frozenset(
        {
            "delete customer",
            "delete idea",
            "delete backlog item",
            "delete OKR",
            "delete announcement",
        }
    ),
    ("vote_payload", "idea"): frozenset({"upvote", "switch a vote"}),
    ("customer_fanout", "origin"): frozenset(
        {"create customer known elsewhere", "create request, known elsewhere"}
    ),
    ("promote_creates_backlog_item", "false"): frozenset({"promote idea"}),
    ("vote_touches_updated_at", "false"): frozenset(
        {"upvote", "switch a vote", "vote without a customer"}
    ),
    ("include_changes", "true"): frozenset(
        {
            "create customer known elsewhere",
            "update customer",
            "confirm customer",
            "join a product",
            "leave a product",
            "create request, known elsewhere",
            "update idea",
            "update backlog item",
            "update OKR",
            "check in",
            "update announcement",
            "publish announcement",
            "unpublish announcement",
        }
    ),
    ("require_https", "true"): frozenset(),
    ("require_confirmed", "true"): frozenset({"upvote", "switch a vote"}),
}


def events_of_action(action: str, **assumptions: str) -> list[tuple[str, str]] | str:
    """Return what Acme's webhook hears of an action under assumptions, or how it is refused."""
    with set_scene(":memory:") as scene:
        prepare(scene, action)
        assume(scene, **assumptions)
        try:
            with record_events(scene.leanbe) as events:
                ACTIONS[action](scene)
        except (Conflict, InvalidTarget) as error:
            return error.code
        return [(each.name, each.payload_text) for each in events.of(scene.product)]


@pytest.mark.parametrize("action", ACTIONS)
def test_the_assumptions_bear_on_the_actions_that_they_say_and_on_no_other(action: str) -> None:
    article = events_of_action(action)
    bearing = [assumed for assumed, actions in BEARS_ON.items() if action in actions]
    names = {name for name, _ in bearing}
    others = {name: value for name, value in BEARS_ON if name not in names}
    assert events_of_action(action, **others) == article
    for name, value in bearing:
        assert events_of_action(action, **{name: value}) != article, name


def test_d_11_names_the_id_of_an_ideas_request(scene: Scene) -> None:
    scene.product.idea_requests.attach(scene.request, idea=scene.idea)
    idea = scene.product.ideas.get(scene.idea).document()
    assert idea["ideaRequests"] == [{"id": scene.request.id, "title": "Dark, please"}]
    assume(scene, idea_request_ref_key="_id")
    idea = scene.product.ideas.get(scene.idea).document()
    assert idea["ideaRequests"] == [{"_id": scene.request.id, "title": "Dark, please"}]


@pytest.mark.parametrize(
    ("model", "counted"), [("separate", [1, 0, 0, 1, 1]), ("net", [1, -1, -2, 0, 1])]
)
def test_d_12_says_what_a_downvote_counts(scene: Scene, model: str, counted: list[int]) -> None:
    assume(scene, vote_model=model)
    steps: list[Act] = [
        upvote,
        downvote,
        lambda s: s.product.ideas.downvote(s.idea),
        upvote,
        lambda s: s.product.ideas.upvote(s.idea, customer=None) if model == "net" else None,
    ]
    seen = []
    for step in steps:
        step(scene)
        seen.append(scene.upvotes())
    assert seen == counted


def test_d_12_net_counts_what_separate_counted_before(scene: Scene) -> None:
    downvote(scene)
    assert scene.upvotes() == 0
    assume(scene, vote_model="net")
    assert scene.upvotes() == -1


def test_d_12_toggle_takes_an_upvote_back_and_refuses_where_there_is_none(scene: Scene) -> None:
    assume(scene, vote_model="toggle")
    with pytest.raises(Conflict, match="take back"):
        downvote(scene)
    upvote(scene)
    with record_events(scene.leanbe) as events:
        downvote(scene)
    assert events.names == "idea.downVoted"
    assert events.events[0].payload["upvotes"] == 0
    assert events.events[0].payload["customer"] == scene.ana_ref
    with pytest.raises(Conflict, match="take back"):
        downvote(scene)
    upvote(scene)
    assert scene.upvotes() == 1


def test_d_12_toggle_without_a_customer_takes_an_anonymous_upvote_back(scene: Scene) -> None:
    assume(scene, vote_model="toggle")
    upvote(scene)
    with pytest.raises(Conflict, match="anonymous"):
        scene.product.ideas.downvote(scene.idea)
    scene.product.ideas.upvote(scene.idea)
    scene.product.ideas.downvote(scene.idea)
    assert scene.upvotes() == 1


def test_d_15_leaves_the_id_of_what_is_deleted(scene: Scene) -> None:
    assume(scene, deleted_payload="id")
    with record_events(scene.leanbe) as events:
        scene.product.okrs.delete(scene.okr)
    assert events.events[0].payload_text == f'{{"_id":"{scene.okr.id}"}}'


def test_d_16_leaves_the_voter_out(scene: Scene) -> None:
    assume(scene, vote_payload="idea")
    with record_events(scene.leanbe) as events:
        upvote(scene)
    assert events.events[0].payload == scene.the_idea(upvotes=1)


def test_d_17_tells_the_product_of_origin_alone(scene: Scene) -> None:
    for product in (scene.product, scene.other):
        scene.leanbe.assumptions.set("customer_fanout", "origin", product=product)
    steps: list[Act] = [
        lambda s: s.product.customers.update(s.ana, products=[s.other, s.product]),
        lambda s: s.other.customers.update(s.ana, city="Porto"),
        lambda s: s.product.customers.update(s.ana, products=[s.other]),
        lambda s: s.other.customers.update(s.ana, city="Rome"),
        lambda s: s.other.customers.delete(s.ana),
    ]
    heard_of: list[tuple[str, str]] = []
    for step in steps:
        with record_events(scene.leanbe) as events:
            step(scene)
        heard_of.append((_names(events, scene.product), _names(events, scene.other)))
    assert heard_of == [
        ("customer.updated", ""),
        ("customer.updated", ""),
        ("customer.updated", ""),
        # Whoever left its product of origin is nobody's any more under this assumption.
        ("", ""),
        ("", ""),
    ]


def test_d_17_is_read_by_each_product_for_itself(scene: Scene) -> None:
    assume(scene, customer_fanout="origin")
    with record_events(scene.leanbe) as events:
        scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
        scene.other.customers.create(email="bea@example.com", products=[scene.product])
    assert _names(events, scene.product) == "customer.updated"
    assert _names(events, scene.other) == "customer.updated customer.created"


def test_d_18_writes_null_for_what_is_not_set(scene: Scene) -> None:
    assume(scene, unset="null")
    with record_events(scene.leanbe) as events:
        scene.product.ideas.create(title="Bare")
        scene.product.idea_requests.create(title="Bare")
        scene.product.announcements.create(title="Bare")
    idea, request, news = (each.payload for each in events.events)
    assert [key for key in idea if idea[key] is None] == [
        "assigned",
        "description",
        "descriptionHTML",
    ]
    assert [key for key in request if request[key] is None] == [
        "customer",
        "description",
        "descriptionHTML",
        "idea",
    ]
    assert news["publishedAt"] is None


def test_d_19_promotes_without_a_backlog_item(scene: Scene) -> None:
    assume(scene, promote_creates_backlog_item="false")
    before = scene.product.backlog_items.list()
    scene.product.ideas.promote(scene.idea)
    assert scene.product.ideas.get(scene.idea).document() == scene.the_idea(promoted=True)
    assert scene.product.backlog_items.list() == before


def test_d_21_leaves_updated_at_where_it_was(scene: Scene) -> None:
    upvote(scene)
    assert scene.product.ideas.get(scene.idea).document()["updatedAt"] == NOW
    scene.clock.advance(minutes=1)
    assume(scene, vote_touches_updated_at="false")
    downvote(scene)
    scene.product.ideas.withdraw_vote(scene.idea, customer=scene.ana)
    assert scene.product.ideas.get(scene.idea).document()["updatedAt"] == NOW


@pytest.mark.parametrize(
    ("act", "changes"),
    [
        (
            lambda s: s.product.ideas.update(s.idea, title="Night", assigned=s.paul),
            lambda s: [
                {"field": "assigned", "oldValue": None, "newValue": s.paul.document()},
                {"field": "title", "oldValue": "Dark mode", "newValue": "Night"},
            ],
        ),
        (
            lambda s: s.product.customers.update(s.ana, last_name=None, notes=[]),
            lambda _: [
                {"field": "lastName", "oldValue": "Alves", "newValue": None},
                {"field": "notes", "oldValue": [{"note": "met in May"}], "newValue": []},
            ],
        ),
        (
            lambda s: s.product.announcements.publish(s.news),
            lambda _: [
                {"field": "status", "oldValue": "draft", "newValue": "published"},
                {"field": "publishedAt", "oldValue": None, "newValue": NOW},
            ],
        ),
    ],
    ids=["idea", "customer", "announcement"],
)
def test_d_26_says_what_changed_in_the_order_of_the_document(
    scene: Scene, act: Act, changes: Callable[[Scene], list[object]]
) -> None:
    assume(scene, include_changes="true")
    with record_events(scene.leanbe) as events:
        act(scene)
    (event,) = events.events
    assert list(event.payload)[-1] == "changes"
    assert event.payload["changes"] == changes(scene)


def test_d_27_refuses_a_webhook_that_is_not_https(scene: Scene) -> None:
    assume(scene, require_https="true")
    with pytest.raises(InvalidTarget):
        scene.leanbe.webhooks.set(scene.product, "http://127.0.0.1:9/other")


def test_d_28_lets_only_confirmed_customers_vote(scene: Scene) -> None:
    assume(scene, require_confirmed="true")
    with pytest.raises(Conflict, match="not confirmed"):
        upvote(scene)
    scene.product.ideas.upvote(scene.idea)
    scene.product.customers.confirm(scene.ana)
    with record_events(scene.leanbe) as events:
        upvote(scene)
    assert events.names == "idea.upVoted"


def test_d_9_makes_another_secret_with_another_url_where_it_is_read_so(scene: Scene) -> None:
    secret = scene.leanbe.webhooks.set(scene.product, "http://127.0.0.1:9/2").secret
    assert secret == scene.product.webhook.secret
    assume(scene, regenerate_secret_on_url_change="true")
    assert scene.leanbe.webhooks.set(scene.product, "http://127.0.0.1:9/3").secret != secret


def _names(events: RecordedEvents, product: object) -> str:
    return " ".join(each.name for each in events.of(product))  # type: ignore[arg-type]
