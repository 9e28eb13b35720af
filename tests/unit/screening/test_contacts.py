"""A contact is a function of its grounds."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from lianfang.vocabulary import ContactCategory, ContactKind, FoundBy
from services.screening.domain.contacts import Contact, ContactState, Ground, drawn, news

DAYS = st.dates(date(2020, 2, 1), date(2020, 2, 9))


def ground(**facts: object) -> Ground:
    return Ground(
        **{
            "source": "claim",
            "ref": "x",
            "about": "case",
            "category": ContactCategory.CLOSE,
            "kind": ContactKind.MEAL,
            "found_by": FoundBy.DECLARATION,
            "first_on": date(2020, 2, 1),
            "last_on": date(2020, 2, 2),
            "building": "4403.nanshan",
            **facts,
        }
    )


grounds = st.builds(
    ground,
    ref=st.text("abc", min_size=1, max_size=2),
    category=st.sampled_from(ContactCategory),
    kind=st.sampled_from(ContactKind),
    last_on=DAYS,
)


def draw(*found: Ground, before: Contact | None = None) -> Contact | None:
    return drawn(before, "case", "person", found, "policy")


@given(st.lists(grounds, min_size=1, max_size=6), st.randoms())
def test_the_order_in_which_grounds_are_found_does_not_matter(found, chance) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    contact = draw(*found)
    assert draw(*shuffled) == contact
    assert draw(*found, *found) == contact


def test_the_strictest_category_decides_and_its_days_count() -> None:
    contact = draw(
        ground(category=ContactCategory.SECONDARY, last_on=date(2020, 2, 9)),
        ground(kind=ContactKind.HOUSEHOLD, last_on=date(2020, 2, 3)),
        ground(kind=ContactKind.MEAL, first_on=date(2020, 1, 31)),
    )
    assert contact is not None
    assert (contact.category, contact.kind) == ("close", "household")
    days = (contact.first_exposure_on, contact.last_exposure_on)
    assert days == (date(2020, 1, 31), date(2020, 2, 3))


def test_no_ground_left_drops_the_contact_once() -> None:
    assert draw() is None
    contact = draw(ground())
    gone = draw(before=contact)
    assert gone is not None
    assert gone.state == ContactState.DROPPED
    assert news(contact, gone)
    assert not news(gone, gone)
    assert news(gone, draw(ground(), before=gone))


def test_another_ground_that_changes_nothing_seen_is_no_news() -> None:
    contact = draw(ground(kind=ContactKind.HOUSEHOLD))
    assert not news(contact, draw(ground(kind=ContactKind.HOUSEHOLD), ground(), before=contact))
