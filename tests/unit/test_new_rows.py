"""New rows: made of columns, without what an ORM notes of each."""

import pytest

from leanbe_emitter.storage.engine.session import new_row
from leanbe_emitter.storage.schema.document_tables import IdeaRow


def test_a_new_row_has_the_columns_that_it_was_given_and_no_others() -> None:
    row = new_row(IdeaRow, id="1", title="Dark mode")
    assert (row.id, row.title, row.description) == ("1", "Dark mode", None)


def test_a_column_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^IdeaRow has no column headline\.$"):
        new_row(IdeaRow, id="1", headline="Dark mode")
