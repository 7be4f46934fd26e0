"""Hypothesis strategies for the domain: fields of documents, settings, and choices."""

from typing import Any

from hypothesis import strategies as st

from tests.support.expected_documents import Document

TEXTS = st.one_of(
    st.sampled_from(["a", "Dark mode", "ä\u2028😀", '"\\/\x7f\x1b', "<b>&'\"", "10", "\t\n x", ""]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
)
TITLES = st.one_of(TEXTS.filter(str.strip), TEXTS.filter(str.strip), st.just(""))
OPTIONAL_TEXTS = st.none() | TEXTS
EMAILS = st.sampled_from([f"{name}@example.com" for name in ("ana", "ANA", "bea", "Bea", "cy")])
NUMBERS = (
    st.integers(-1_000, 1_000)
    | st.floats(-1e6, 1e6, width=32)
    | st.sampled_from([0.1, 1e21, -0.0, 1e-7])
)
#: Values that are equal in Python but different in JSON, among others.
IMAGES = st.sampled_from(
    [
        {},
        {"a": 1},
        {"a": True},
        {"a": 1.0},
        {"a": 2, "b": 1},
        {"b": 1, "a": 2},
        {"b": 0, "10": None, "2": {}},
        {"x": [1.5, -0.0, 1e21, 1e-7, 2**53], "": {"": "\u2028"}},
    ]
)
TITLED = st.lists(TEXTS, max_size=2).map(lambda titles: [{"title": each} for each in titles])
COUNTRIES = st.none() | st.fixed_dictionaries(
    {}, optional={"countryName": TEXTS, "countryCode": TEXTS}
)
DAYS = st.sampled_from([None, "2023-06-30T12:34:56.789Z", "2023-07-01", "2023-09-30"])
STATUSES = ("To Do", "In Progress", "Done", "Shipped")
ASSUMPTIONS = {
    "idea_request_ref_key": ("id", "_id"),
    "vote_model": ("separate", "toggle", "net"),
    "cascade": ("none", "updated"),
    "deleted_payload": ("full", "id"),
    "vote_payload": ("idea-and-customer", "idea"),
    "customer_fanout": ("all", "origin"),
    "unset": ("omit", "null"),
    "promote_creates_backlog_item": ("true", "false"),
    "vote_touches_updated_at": ("true", "false"),
    "include_changes": ("false", "true"),
    "require_confirmed": ("false", "true"),
}
ASSUMPTION_SETS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in ASSUMPTIONS.items()}
)
SETTINGS = st.one_of(
    st.tuples(st.just("time"), st.sampled_from([0, 1, 1_000, -5_000])),
    st.tuples(st.just("name"), st.sampled_from(["Acme", "Bcme", "Ccme"])),
    st.tuples(st.just("statuses"), st.lists(st.sampled_from(STATUSES), max_size=5)),
    *(st.tuples(st.just(name), st.sampled_from(values)) for name, values in ASSUMPTIONS.items()),
)
#: Index of a document, modulo their number.
PICKS = st.integers(0, 20)
#: Index of a product: mostly the one with all documents.
WHERE = st.sampled_from([0, 0, 0, 1])


def some_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """Return a strategy of documents with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def titled(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """Return a strategy of documents with a title and some of these fields."""
    return st.fixed_dictionaries({"title": TITLES}, optional=fields)


DESCRIBED = {"description": OPTIONAL_TEXTS, "descriptionHTML": OPTIONAL_TEXTS}
OWNED = {"owner": st.integers(0, 1)}
ASSIGNED = {"assigned": st.none() | st.integers(0, 1)}
CUSTOMER: dict[str, st.SearchStrategy[Any]] = {
    "firstName": OPTIONAL_TEXTS,
    "lastName": OPTIONAL_TEXTS,
    "addressLine1": OPTIONAL_TEXTS,
    "country": COUNTRIES,
    "image": IMAGES,
    "source": TEXTS,
    "confirmed": st.booleans(),
    "isTemporary": st.booleans(),
    "devices": st.sampled_from([[], [{"_id": "d1", "name": "Phone"}], [{"_id": "d1"}]]),
    "notes": st.lists(TEXTS, max_size=2).map(lambda notes: [{"note": each} for each in notes]),
}
IDEA = {
    **DESCRIBED,
    **OWNED,
    **ASSIGNED,
    "tags": TITLED,
    "visibility": st.sampled_from(["public", "private"]),
}
ITEM = {**DESCRIBED, **OWNED, **ASSIGNED, "tags": TITLED, "status": st.sampled_from(STATUSES)}
OKR = {**OWNED, "description": OPTIONAL_TEXTS, "startDate": DAYS, "endDate": DAYS}
NEWS = {
    **DESCRIBED,
    **OWNED,
    "categories": TITLED,
    "status": st.sampled_from(["draft", "published"]),
}
KEY_RESULTS = st.lists(
    st.fixed_dictionaries(
        {"title": TITLES.filter(bool), "targetValue": NUMBERS},
        optional={"startValue": NUMBERS, "currentValue": NUMBERS, "unit": TEXTS},
    ),
    max_size=3,
)
_KEYWORDS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "addressLine1": "address_line1",
    "isTemporary": "is_temporary",
    "descriptionHTML": "description_html",
    "startDate": "start_date",
    "endDate": "end_date",
    "keyResults": "key_results",
}


def keywords(fields: Document) -> dict[str, Any]:
    """Return the fields as the library's keyword arguments."""
    return {_KEYWORDS.get(name, name): value for name, value in fields.items()}
