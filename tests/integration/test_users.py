"""Users: the team members of products, on every database."""

from datetime import UTC, datetime

import pytest

from leanbe_emitter import Conflict, InvalidValue, Leanbe, NotFound, TriggerRequest, User
from leanbe_emitter.clock import ManualClock
from tests.support.concurrency import call_at_once

pytestmark = pytest.mark.any_database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_user_has_access_to_the_product_it_was_made_in(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    ana = product.users.create(email="ana@example.com", first_name="Ana")
    assert ana.document() == {"_id": ana.id, "firstName": "Ana", "email": "ana@example.com"}
    assert product.users.list()[1:] == [ana]


def test_an_email_is_unique_in_a_product_whatever_its_case(leanbe: Leanbe) -> None:
    product, other = leanbe.products.create("Acme"), leanbe.products.create("Other")
    product.users.create(email="Ana@example.com", first_name="Ana")
    with pytest.raises(Conflict, match=r"'ANA@EXAMPLE\.COM' has access"):
        product.users.create(email="ANA@EXAMPLE.COM", first_name="Another Ana")
    assert other.users.create(email="ana@example.com", first_name="Ana").first_name == "Ana"


def test_a_user_is_named_by_email_id_or_a_part_of_the_id(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    ana = product.users.create(email="Ana@example.com", first_name="Ana")
    references: list[str | User] = [
        ana,
        "Ana@example.com",
        " ana@EXAMPLE.com ",
        ana.id,
        ana.id[-6:],
    ]
    for reference in references:
        assert product.users.get(reference) == ana


def test_users_of_other_products_are_not_found(leanbe: Leanbe) -> None:
    product, other = leanbe.products.create("Acme"), leanbe.products.create("Other")
    ana = other.users.create(email="ana@example.com", first_name="Ana")
    named = (ana, ana.id), ("Ana@example.com", "Ana@example.com"), (ana.id[-6:], ana.id[-6:])
    for reference, shown in named:
        with pytest.raises(NotFound) as refused:
            product.users.get(reference)
        said = f"The user {shown!r} has no access to the product 'Acme'."
        assert refused.value.message == said
        assert refused.value.hint == f"Give it: leanbe.users.grant({shown!r}, product='Acme')."
        command = refused.value.hints.command
        assert command == f"Give it: leanbe-emitter user grant {shown} --product Acme."
    with pytest.raises(NotFound, match="There is no user"):
        product.users.get("\0")


def test_an_email_of_several_users_elsewhere_has_no_access_either(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    for name in ("Initech", "Globex"):
        leanbe.products.create(name).users.create(email="ana@example.com", first_name="Ana")
    with pytest.raises(NotFound, match="has no access to the product 'Acme'"):
        product.ideas.create(title="Hers", owner="ana@example.com")


def test_the_nearest_email_is_suggested(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    with pytest.raises(NotFound, match=r"Did you mean owner@example\.com"):
        product.users.get("owner@exmaple.com")


def test_a_granted_user_has_both_products(leanbe: Leanbe) -> None:
    product, other = leanbe.products.create("Acme"), leanbe.products.create("Other")
    ana = product.users.create(email="ana@example.com", first_name="Ana")
    assert leanbe.users.grant("ana@example.com", product=other) == ana
    assert leanbe.users.grant(ana, product="Other") == ana
    assert [user.id for user in other.users.list()].count(ana.id) == 1


def test_a_user_is_not_granted_what_another_of_that_email_has(leanbe: Leanbe) -> None:
    product, other = leanbe.products.create("Acme"), leanbe.products.create("Other")
    ana = product.users.create(email="ana@example.com", first_name="Ana")
    other.users.create(email="ana@example.com", first_name="Another Ana")
    with pytest.raises(Conflict):
        leanbe.users.grant(ana, product=other)
    with pytest.raises(InvalidValue, match="more than one user"):
        leanbe.users.grant("ana@example.com", product=other)


def test_a_later_member_does_not_own_the_product(leanbe: Leanbe) -> None:
    elder = leanbe.products.create("Elder")
    ana = elder.users.create(email="ana@example.com", first_name="Ana")
    product = leanbe.products.create("Acme")
    leanbe.users.grant(ana, product=product)
    owner = product.users.list()[0]
    leanbe.webhooks.set(product, "http://127.0.0.1:9/")
    payload = leanbe.dry_run(TriggerRequest(events=["idea.created"], product=product))[0].body
    assert owner.id.encode() in payload
    assert owner.email == "owner@example.com"


def test_users_keep_their_order_while_time_stands_still(db: str) -> None:
    with Leanbe(db, clock=ManualClock(NOON)) as leanbe:
        elder = leanbe.products.create("Elder")
        ana = elder.users.create(email="ana@example.com", first_name="Ana")
        product = leanbe.products.create("Acme")
        bo = product.users.create(email="bo@example.com", first_name="Bo")
        leanbe.users.grant(ana, product=product)
        assert [each.email for each in product.users.list()] == [
            "owner@example.com",
            bo.email,
            ana.email,
        ]
        assert product.ideas.create(title="Dark mode").owner.email == "owner@example.com"


@pytest.mark.parametrize(
    "email", ["", "ana", "@example.com", "ana@", "a na@example.com", "a@b@c", "\0@b.c"]
)
def test_an_invalid_email_is_refused(leanbe: Leanbe, email: str) -> None:
    product = leanbe.products.create("Acme")
    with pytest.raises(InvalidValue):
        product.users.create(email=email, first_name="Ana")


@pytest.mark.parametrize("first_name", ["", " ", "\0", "\ud800", "a" * 201])
def test_a_first_name_that_cannot_be_one_is_refused(leanbe: Leanbe, first_name: str) -> None:
    product = leanbe.products.create("Acme")
    with pytest.raises(InvalidValue):
        product.users.create(email="ana@example.com", first_name=first_name)
    assert len(product.users.list()) == 1


def test_of_two_who_take_an_email_at_once_one_is_told_that_it_is_taken(database_url: str) -> None:
    with Leanbe(database_url) as one, Leanbe(database_url) as other:
        one.products.create("Acme")

        def create(leanbe: Leanbe) -> User:
            users = leanbe.products.get("Acme").users
            return users.create(email="ana@example.com", first_name="Ana")

        results = call_at_once(lambda: create(one), lambda: create(other))
        assert sorted(type(result).__name__ for result in results) == ["Conflict", "User"]
