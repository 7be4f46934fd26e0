"""The story of ``demo --story``: the life of a product in actions that raise all 22 events.

A chapter yields each action in words before it acts. The action takes place when the caller asks
for the next one, so the caller can put a transaction around it and see its events.
"""

from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from leanbe_emitter.errors import Conflict

if TYPE_CHECKING:
    from leanbe_emitter.library import Announcement, Customer, Idea, Okr, Product

#: The e-mail of a person who is no customer at first.
_CLEO = "cleo@example.com"

_Two: TypeAlias = "Generator[str, None, tuple[Customer, Customer]]"
_Ideas: TypeAlias = "Generator[str, None, tuple[Idea, Idea]]"
_Okr: TypeAlias = "Generator[str, None, Okr]"
_News: TypeAlias = "Generator[str, None, Announcement]"


def story(acme: "Product") -> Iterator[str]:
    """Yield the actions of the story in words; each acts on the product."""
    ana, bea = yield from _customers_arrive(acme)
    dark, export = yield from _requests_become_ideas(acme, ana, bea)
    yield from _people_vote(acme, dark, ana, bea)
    okr = yield from _a_goal_is_set(acme)
    yield from _work_is_done(acme, dark)
    yield from _progress_is_recorded(acme, okr)
    news = yield from _the_news_goes_out(acme)
    yield from _things_end(acme, export, news, okr)


def _customers_arrive(acme: "Product") -> _Two:
    yield "Bo joins the team"
    acme.users.create(email="bo@example.com", first_name="Bo")
    yield "Ana becomes a customer"
    ana = acme.customers.create(email="ana@example.com", first_name="Ana", last_name="Costa")
    yield "Bea signs up on the portal"
    bea = acme.customers.create(email="bea@example.com", first_name="Bea", source="Portal")
    yield "Ana's e-mail is verified"
    acme.customers.confirm(ana)
    yield "Ana says where she works"
    acme.customers.update(ana, company={"name": "Globex", "jobTitle": "CTO"})
    return ana, bea


def _requests_become_ideas(acme: "Product", ana: "Customer", bea: "Customer") -> _Ideas:
    requests = acme.idea_requests
    yield "Ana asks for a dark mode"
    dark = requests.create(title="Dark mode, please", customer=ana, source="Portal")
    yield "Bea asks for the same in other words"
    night = requests.create(title="Everything is so bright 😎", customer=bea, source="Widget")
    yield "Cleo, whom nobody knows, asks for an export"
    export = requests.create(title="Export as CSV", customer=_CLEO, source="Widget")
    yield "Somebody asks for a pony"
    pony = requests.create(title="A pony")
    yield "The pony is ignored"
    requests.ignore(pony)
    yield "Ana's request becomes an idea"
    idea = acme.ideas.create(title="Dark mode", requests=[dark])
    yield "Bea's request is attached to it"
    requests.attach(night, idea=idea)
    yield "Cleo's request becomes another idea"
    return idea, acme.ideas.create(title="CSV export", requests=[export])


def _people_vote(acme: "Product", idea: "Idea", ana: "Customer", bea: "Customer") -> Iterator[str]:
    ideas = acme.ideas
    yield "Ana votes for the dark mode"
    ideas.upvote(idea, customer=ana)
    yield "Bea votes for it"
    ideas.upvote(idea, customer=bea)
    yield "A passer-by votes for it"
    ideas.upvote(idea)
    yield "Cleo votes against it"
    ideas.downvote(idea, customer=_CLEO)
    yield "Cleo changes her mind"
    ideas.upvote(idea, customer=_CLEO)
    yield "Ana tries to vote a second time: refused"
    with suppress(Conflict):
        ideas.upvote(idea, customer=ana)
    yield "Bea takes her vote back"
    ideas.withdraw_vote(idea, customer=bea)


def _a_goal_is_set(acme: "Product") -> _Okr:
    yield "The team sets itself a goal"
    return acme.okrs.create(
        title="Delight people who work at night",
        start_date="2026-10-01",
        key_results=[{"title": "Score", "startValue": 40, "targetValue": 60, "unit": "points"}],
    )


def _work_is_done(acme: "Product", idea: "Idea") -> Iterator[str]:
    items = acme.backlog_items
    yield "The idea is tagged, and given to Bo"
    acme.ideas.update(idea, tags=["ui"], assigned="bo@example.com")
    yield "The idea is promoted to the backlog"
    acme.ideas.promote(idea)
    (item,) = items.list(idea=idea)
    yield "The work is described"
    items.update(item, description="Darken all screens & menus")
    yield "Bo begins"
    items.set_status(item, "In Progress")
    yield "Bo finds a bug, and writes it down"
    bug = items.create(title="White flash at the start", assigned="bo@example.com", tags=["bug"])
    yield "The work is reviewed"
    items.set_status(item, "In Review")
    yield "It is done, and gets its final name"
    items.update(item, title="Dark mode for all screens", status="Done")
    yield "It was no bug: it is deleted"
    items.delete(bug)


def _progress_is_recorded(acme: "Product", okr: "Okr") -> Iterator[str]:
    yield "The score is measured: 50 points"
    acme.okrs.check_in(okr, key_result="Score", value=50)
    yield "It is measured again: 50 points still"
    acme.okrs.check_in(okr, key_result="Score", value=50)
    yield "The goal is reached"
    acme.okrs.check_in(okr, key_result="Score", value=60)


def _the_news_goes_out(acme: "Product") -> _News:
    yield "An announcement is drafted"
    news = acme.announcements.create(title="Dark mode is here", categories=["New feature"])
    yield "It gets its text"
    acme.announcements.update(news, description="Your eyes will thank you.")
    yield "It is published"
    return acme.announcements.publish(news)


def _things_end(acme: "Product", export: "Idea", news: "Announcement", okr: "Okr") -> Iterator[str]:
    yield "The export is archived"
    acme.ideas.update(export, archived=True)
    yield "The export is deleted: its request is new again"
    acme.ideas.delete(export)
    yield "Cleo leaves; her vote goes with her"
    acme.customers.delete(_CLEO)
    yield "The announcement is unpublished"
    acme.announcements.unpublish(news)
    yield "The announcement is deleted"
    acme.announcements.delete(news)
    yield "The goal is deleted"
    acme.okrs.delete(okr)
