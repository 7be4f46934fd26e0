"""The 22 envelopes of ``data/examples.json`` come out of actions, byte for byte.

Clock and ids are scripted: an action reads the clock once for its document, and once more when the
envelope of each of its events is built. One more request belongs to the story than the file shows.
"""

import hashlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from leanbe_emitter import Event, Leanbe, Product
from leanbe_emitter.ids import IdOf, Ids
from tests.support.example_envelopes import BODY_SHA256, ENVELOPES, SECRET
from tests.support.expected_documents import without_context
from tests.support.node import Node
from tests.support.scene import record_events

pytestmark = pytest.mark.any_database

CUSTOMER, REQUEST, IGNORED, IDEA = (
    f"64a28{end}"
    for end in (
        "e4c9c3a1954e6a2e501",
        "ec49c3a1954e6a2e502",
        "f009c3a1954e6a2e503",
        "f3c9c3a1954e6a2e504",
    )
)


class ScriptedIds(Ids):
    """Gives documents the ids that the story has; events and deliveries get what they always do."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: deque[str] = deque()

    def object_id(self, at: datetime, *, of: IdOf = IdOf.DOCUMENT) -> str:
        if of is IdOf.DOCUMENT:
            return self.documents.popleft()
        return super().object_id(at, of=of)

    def public_id(self) -> str:
        return "f6256c00-a057-4afa-a59c-021dcbf3e03e"

    def colour(self) -> str:
        return "#4D80CC"


class ScriptedClock:
    """Tells the instants of the script, each once."""

    def __init__(self) -> None:
        self.instants: deque[datetime] = deque()

    def now(self) -> datetime:
        return self.instants.popleft()


class Story:
    """Tells the story; every step says when it happens, and which ids it will need."""

    def __init__(self, db: str) -> None:
        self._clock, self._ids = ScriptedClock(), ScriptedIds()
        self.leanbe = Leanbe(db, clock=self._clock, ids=self._ids)

    @contextmanager
    def at(self, *times: str, ids: tuple[str, ...] = ()) -> Iterator[None]:
        """Let the block happen at these instants of 2023-07-03, with these documents' ids."""
        self._clock.instants.extend(
            datetime.fromisoformat(f"2023-07-03T{time}").replace(tzinfo=UTC) for time in times
        )
        self._ids.documents.extend(ids)
        yield
        assert not self._clock.instants, "an instant of the script was not asked for"
        assert not self._ids.documents, "an id of the script was not asked for"

    def tell(self) -> None:
        """Do all that the story tells."""
        product = self._beginning()
        self._discovery(product)
        self._idea(product)
        self._backlog(product)
        self._okr(product)
        self._announcement(product)
        with self.at("09:21:02.877", "09:21:03.040"):
            product.ideas.delete(IDEA)
        with self.at("09:22:03.014", "09:22:03.177"):
            product.customers.delete(CUSTOMER)

    def _beginning(self) -> Product:
        john = {"email": "john.doe@example.com", "first_name": "John"}
        product = "649bf71bbeac6ade0bed7245"
        with self.at("08:00:00.000", ids=(product, "63caa6a0575db9607cd0d171")):
            made = self.leanbe.products.create(
                "Dummy Product", webhook_url="http://127.0.0.1:9/", secret=SECRET, owner=john
            )
        with self.at("08:01:00.000", ids=("63caa6a0575db9607cd0d172",)):
            made.users.create(email="alice.smith@example.com", first_name="Alice")
        return made

    def _discovery(self, product: Product) -> None:
        shown = ENVELOPES[0]["payload"]
        with self.at("09:01:00.137", "09:01:00.300", ids=(CUSTOMER,)):
            product.customers.create(
                first_name="John",
                last_name="Clarke",
                email="johnclarke@example.com",
                phone="+123456789",
                state="California",
                city="San Francisco",
                address_line1="123 Main St",
                address_line2="Apt 4B",
                zipcode="12345",
                country={"countryName": "United States", "countryCode": "US"},
                company=shown["company"],
                gender="Male",
                type="Initiator (innovator, business driver, change agent)",
                devices=shown["devices"],
                billing_details=shown["billing_details"],
                notes=["This is note 1", "This is note 2"],
            )
        company = {**shown["company"], "jobTitle": "Staff Engineer"}
        with self.at("09:02:00.274", "09:02:00.437"):
            product.customers.update(CUSTOMER, company=company, confirmed=True)
        with self.at("09:03:00.411", "09:03:00.574", ids=(REQUEST,)):
            product.idea_requests.create(
                title="Add more features",
                description="Please add more features",
                customer="johnclarke@example.com",
                source="Portal",
            )
        with self.at("09:04:00.548", "09:04:00.711", ids=(IGNORED,)):
            product.idea_requests.create(
                title="Free pizza",
                description="Not a product request",
                customer="johnclarke@example.com",
                source="Portal",
            )

    def _idea(self, product: Product) -> None:
        with self.at("09:05:00.685", "09:05:00.848", ids=(IDEA,)):
            product.ideas.create(
                title="Dummy Title",
                description="Dummy Description",
                description_html="<p>This is a dummy description</p>",
                tags=["dummy"],
                assigned="alice.smith@example.com",
            )
        with self.at("09:06:00.822", "09:06:00.985"):
            product.idea_requests.attach(REQUEST, idea=IDEA)
        with self.at("09:07:00.959", "09:07:01.122"):
            product.idea_requests.ignore(IGNORED)
        with self.at("09:08:01.096", "09:08:01.259"):
            product.ideas.update(IDEA, title="Dummy Title, clarified", tags=["dummy", "quick win"])
        # A vote is a row with an id, too, which no payload shows.
        with self.at("09:09:01.233", "09:09:01.396", ids=("0" * 24,)):
            product.ideas.upvote(IDEA, customer=CUSTOMER)
        with self.at("09:10:01.370", "09:10:01.533"):
            product.ideas.downvote(IDEA, customer=CUSTOMER)

    def _backlog(self, product: Product) -> None:
        item = "64a290a59c3a1954e6a2e505"
        with self.at("09:11:01.507", "09:11:01.670", "09:11:01.697", ids=(item,)):
            product.ideas.promote(IDEA)
        with self.at("09:12:01.644", "09:12:01.807"):
            product.backlog_items.update(item, description="Dummy Description, groomed")
        with self.at("09:13:01.781", "09:13:01.944"):
            product.backlog_items.set_status(item, "In Progress")
        with self.at("09:14:01.918", "09:14:02.081"):
            product.backlog_items.delete(item)

    def _okr(self, product: Product) -> None:
        okr, *key_results = (f"64a291969c3a1954e6a2e50{last}" for last in "678")
        with self.at("09:15:02.055", "09:15:02.218", ids=(okr, *key_results)):
            product.okrs.create(
                title="Make onboarding effortless",
                description="Q3 objective",
                start_date="2023-07-01",
                end_date="2023-09-30",
                key_results=[
                    {
                        "title": "Raise activation rate",
                        "startValue": 40,
                        "targetValue": 60,
                        "unit": "%",
                    },
                    {"title": "Cut setup time", "startValue": 30, "targetValue": 10, "unit": "min"},
                ],
            )
        with self.at("09:16:02.192", "09:16:02.355"):
            product.okrs.check_in(okr, key_result="Raise activation rate", value=50)
        with self.at("09:17:02.329", "09:17:02.492"):
            product.okrs.delete(okr)

    def _announcement(self, product: Product) -> None:
        news = "64a2924a9c3a1954e6a2e509"
        with self.at("09:18:02.466", "09:18:02.629", ids=(news,)):
            product.announcements.create(
                title="Dark mode is here",
                description="You can now switch to dark mode.",
                categories=["New feature"],
            )
        with self.at("09:19:02.603", "09:19:02.766"):
            product.announcements.publish(news)
        with self.at("09:20:02.740", "09:20:02.903"):
            product.announcements.delete(news)


@pytest.fixture
def story_events(stage: str) -> list[Event]:
    """The events of the story, less the one that the file does not show."""
    story = Story(stage)
    with story.leanbe, record_events(story.leanbe) as events:
        story.tell()
    return [each for each in events.events if not _is_the_one_not_shown(each)]


def test_every_body_of_the_examples_comes_out_of_an_action(story_events: list[Event]) -> None:
    assert [each.name for each in story_events] == [each["event"] for each in ENVELOPES]
    for event, envelope in zip(story_events, ENVELOPES, strict=True):
        assert event.payload == envelope["payload"]
        assert list(event.payload) == list(envelope["payload"])
    assert [hashlib.sha256(each.body).hexdigest() for each in story_events] == BODY_SHA256


def test_each_document_of_the_story_is_a_prefix_of_its_payload(story_events: list[Event]) -> None:
    for event in story_events:
        document = without_context(event.name, event.payload)
        assert list(event.payload)[: len(document)] == list(document)


@pytest.mark.node
def test_node_verifies_every_body_of_the_story(story_events: list[Event]) -> None:
    with Node.started() as node:
        assert all(node.verifies(each.body.decode(), SECRET) for each in story_events)


def _is_the_one_not_shown(event: Event) -> bool:
    return event.name == "ideaRequest.created" and event.payload["_id"] == IGNORED
