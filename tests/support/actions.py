"""Every action of the contract's table c.3, once, for tests that hold for all actions."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.scene import Scene

Act = Callable[[Scene], object]


def _measures(s: Scene) -> list[dict[str, Any]]:
    first, second = ({"_id": each["_id"]} for each in s.okr.document()["keyResults"])
    return [{**first, "title": "Tickets"}, second, {"title": "Calls", "targetValue": 9}]


#: Earlier actions that an action needs.
PRECONDITIONS: Mapping[str, Act] = {
    "switch a vote": lambda s: s.product.ideas.upvote(s.idea, customer=s.ana),
    "withdraw a vote": lambda s: s.product.ideas.upvote(s.idea, customer=s.ana),
    "delete customer": lambda s: (
        s.product.ideas.upvote(s.idea, customer=s.ana),
        s.product.customers.update(s.ana, products=[s.product, s.other]),
    ),
    "delete idea": lambda s: (
        s.product.idea_requests.attach(s.request, idea=s.idea),
        s.product.ideas.promote(s.idea),
    ),
    "unpublish announcement": lambda s: s.product.announcements.publish(s.news),
    "create customer known elsewhere": lambda s: s.other.customers.create(email="bea@example.com"),
    "create request, known elsewhere": lambda s: s.other.customers.create(email="bea@example.com"),
    "leave a product": lambda s: s.product.customers.update(s.ana, products=[s.product, s.other]),
}

ACTIONS: Mapping[str, Act] = {
    "create customer": lambda s: s.product.customers.create(
        email="bea@example.com", products=[s.product, s.other], notes=["new"]
    ),
    "create customer known elsewhere": lambda s: s.product.customers.create(
        email="bea@example.com"
    ),
    "update customer": lambda s: s.product.customers.update(s.ana, city="Porto"),
    "confirm customer": lambda s: s.product.customers.confirm(s.ana),
    "join a product": lambda s: s.product.customers.update(s.ana, products=[s.other, s.product]),
    "leave a product": lambda s: s.product.customers.update(s.ana, products=[s.other]),
    "delete customer": lambda s: s.product.customers.delete(s.ana),
    "create request": lambda s: s.product.idea_requests.create(title="Light", customer=s.ana),
    "create request, new e-mail": lambda s: s.product.idea_requests.create(
        title="Light", customer="bea@example.com"
    ),
    "create request, known elsewhere": lambda s: s.product.idea_requests.create(
        title="Light", customer="bea@example.com"
    ),
    "attach request": lambda s: s.product.idea_requests.attach(s.request, idea=s.idea),
    "ignore request": lambda s: s.product.idea_requests.ignore(s.request),
    "create idea": lambda s: s.product.ideas.create(title="Light", assigned=s.paul, tags=["ui"]),
    "create idea out of a request": lambda s: s.product.ideas.create(
        title="Light", requests=[s.request]
    ),
    "update idea": lambda s: s.product.ideas.update(s.idea, title="Light", assigned=s.paul),
    "upvote": lambda s: s.product.ideas.upvote(s.idea, customer=s.ana),
    "switch a vote": lambda s: s.product.ideas.downvote(s.idea, customer=s.ana),
    "vote without a customer": lambda s: s.product.ideas.downvote(s.idea),
    "withdraw a vote": lambda s: s.product.ideas.withdraw_vote(s.idea, customer=s.ana),
    "promote idea": lambda s: s.product.ideas.promote(s.idea),
    "delete idea": lambda s: s.product.ideas.delete(s.idea),
    "create backlog item": lambda s: s.product.backlog_items.create(title="Test", owner=s.paul),
    "update backlog item": lambda s: s.product.backlog_items.update(
        s.item, title="Paint", status="Done"
    ),
    "set status": lambda s: s.product.backlog_items.set_status(s.item, "Done"),
    "delete backlog item": lambda s: s.product.backlog_items.delete(s.item),
    "create OKR": lambda s: s.product.okrs.create(
        title="Grow", key_results=[{"title": "Users", "targetValue": 10}]
    ),
    "update OKR": lambda s: s.product.okrs.update(s.okr, title="G", key_results=_measures(s)),
    "check in": lambda s: s.product.okrs.check_in(s.okr, key_result="Reports", value=30),
    "delete OKR": lambda s: s.product.okrs.delete(s.okr),
    "create announcement": lambda s: s.product.announcements.create(title="Light"),
    "update announcement": lambda s: s.product.announcements.update(s.news, title="Light"),
    "publish announcement": lambda s: s.product.announcements.publish(s.news),
    "unpublish announcement": lambda s: s.product.announcements.unpublish(s.news),
    "delete announcement": lambda s: s.product.announcements.delete(s.news),
    "create product": lambda s: s.leanbe.products.create("New", webhook_url="http://127.0.0.1:9/"),
    "rename product": lambda s: s.leanbe.products.rename(s.product, "Bcme"),
    "set statuses": lambda s: s.leanbe.products.set_statuses(s.product, ["To Do", "Shipped"]),
    "delete product": lambda s: s.leanbe.products.delete(s.product),
}


def prepare(scene: Scene, action: str) -> None:
    """Run the preconditions of an action."""
    with scene.earlier():
        if action in PRECONDITIONS:
            PRECONDITIONS[action](scene)
