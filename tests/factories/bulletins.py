"""Bulletins: lives and copies as values, and bulletins as somebody asks for them."""

from dataclasses import replace
from datetime import timedelta

from server.domain.bulletins import Answer, Copy, Life, State
from server.services.bulletins import NewBulletin
from tests.factories.claims import NOON
from tests.factories.provinces import SPEECH

AUTHOR, OTHER = "ha@tinh", "minh@tinh"


def a_life(state: State = State.DRAFT, version: int = 1, authors: str = AUTHOR) -> Life:
    """Make the life of a bulletin that one person has written."""
    return Life(state, version, frozenset(authors.split()))


def a_copy(answer: Answer = Answer.WAITING, **overrides: object) -> Copy:
    """Make a bulletin at a commune that has not answered."""
    return replace(Copy(answer), **overrides)


def a_new_bulletin(request_id: str = "bulletin-1", **overrides: object) -> NewBulletin:
    """Make an ordinary bulletin of the province to all of it, to be answered within two days."""
    boring = {
        "unit_id": "tinh",
        "title": "Tiêm phòng cho trẻ em",
        "text": "Kính mời bà con đưa trẻ đến trạm y tế xã.",
        "bulletin_class": "ordinary",
        "asset_digest": SPEECH.digest,
        "addressed": ("tinh",),
        "deadline": NOON + timedelta(days=2),
    }
    return NewBulletin(request_id, **{**boring, **overrides})
