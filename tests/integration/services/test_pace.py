"""How many announcements one person may send in a minute."""

from datetime import timedelta

import pytest
from sqlalchemy import inspect

from server.domain.errors import TooOftenError
from server.services.pace import MOST_SENT, SENT_PER
from server.store.models import BroadcastRow
from tests.factories.claims import NOON
from tests.factories.units import an_actor

S = timedelta(seconds=1)


def sent_before(province, how_many, now=NOON):
    """Enter as many announcements as one person has sent this very instant."""
    first = province.announce("r-0", now=now)
    columns = {one.key: getattr(first, one.key) for one in inspect(BroadcastRow).column_attrs}
    with province.sessions.begin() as db:
        for number in range(1, how_many):
            again = {"broadcast_id": f"b-{number}", "request_id": f"r-{number}"}
            db.add(BroadcastRow(**{**columns, **again}))


def test_a_flood_is_stopped_and_told_and_the_same_one_again_is_no_flood(province):
    sent_before(province, MOST_SENT - 1)
    province.announce("r-last", now=NOON + S)
    with pytest.raises(TooOftenError) as caught:
        province.announce("r-more", now=NOON + 2 * S)
    assert [found.code for found in caught.value.findings] == ["too-many-announcements"]
    assert caught.value.wait_s == SENT_PER.total_seconds()
    assert province.announce("r-last", now=NOON + 2 * S).request_id == "r-last"
    assert province.announce("r-other", now=NOON + 2 * S, actor=an_actor()).request_id == "r-other"
    assert province.announce("r-more", now=NOON + SENT_PER).request_id == "r-more"


def test_what_was_sent_while_the_clock_was_ahead_silences_nobody_once_it_is_set_right(province):
    sent_before(province, MOST_SENT, now=NOON + timedelta(days=1))
    assert province.announce("r-now").request_id == "r-now"
