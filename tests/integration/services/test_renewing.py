"""Units get their next keys long before the present ones end, and nodes know them by then."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from edge.schedule import Accepted, Holdings, receive
from protocol.errors import Refusal, RefusedError
from protocol.signing import public_from_text
from server.domain.errors import KeyMissingError
from server.scheduler import tick
from server.services import renewing
from server.services.keyring import KEY_LIFE
from server.store.models import AuditRow, UnitKeyRow
from tests.factories.claims import NOON
from tests.factories.questions import counted
from tests.factories.units import OPERATOR

A_DAY = timedelta(days=1)
ENDS = NOON + KEY_LIFE
DUE = ENDS - renewing.RENEWED_BEFORE
NEW_ONES_SIGN = DUE + renewing.KNOWN_BEFORE


def renew(province, now) -> int:
    return province.run(renewing.renew_keys, now=now, keyring=province.keyring, actor=OPERATOR)


def test_where_nothing_is_due_nobody_is_asked_who_configures(on_sqlite):
    with counted(on_sqlite) as asked:
        assert renew(on_sqlite, DUE - A_DAY) == 0
    assert not any("unit_key.configures" in one for one in asked)


def key_of(province, unit: str, now) -> str:
    with province.sessions.begin() as db:
        return province.keyring.unit_key(db, unit, now=now).key_id


def holdings(province, credentials, *, now) -> Holdings:
    """What a node holds that was told all of this, the last of it at ``now``."""
    held = Holdings(credentials.node_id, public_from_text(credentials.root_key))
    for posted in province.posted():
        if posted.topic.endswith(("/in/config", "xa-1/plan", "tinh/plan")):
            verdict = receive(held, posted.topic, posted.payload, now)
            held = verdict.holdings if isinstance(verdict, Accepted) else held
    return held


def tell_all(province, now) -> None:
    """Publish what the scheduler publishes after keys were renewed."""
    tick.publish_plans(province.sessions, now, keyring=province.keyring, days=14)
    tick.publish_configs(province.sessions, now, keyring=province.keyring)


def test_keys_are_renewed_in_good_time_and_only_once(province):
    units = {row.unit_id for row in province.rows(UnitKeyRow)}
    assert renew(province, DUE - A_DAY) == 0
    assert renew(province, DUE) == len(units)
    assert renew(province, DUE) == renew(province, ENDS) == 0
    assert len(province.rows(UnitKeyRow)) == 2 * len(units)
    assert {row.subject for row in province.rows(AuditRow, action="renew-key")} == units


def test_a_node_knows_the_next_key_before_it_signs_anything(province):
    credentials = province.commission("xa-1-c1", now=DUE)
    before = key_of(province, "xa-1", DUE)
    tell_all(province, DUE)
    unaware = holdings(province, credentials, now=DUE)
    assert renew(province, DUE) > 0
    tell_all(province, DUE + timedelta(minutes=10))
    aware = holdings(province, credentials, now=DUE + timedelta(minutes=10))

    assert key_of(province, "xa-1", NEW_ONES_SIGN - timedelta(seconds=1)) == before
    assert key_of(province, "xa-1", NEW_ONES_SIGN) != before
    now = NEW_ONES_SIGN + timedelta(minutes=1)
    token = province.announce(now=now).token
    assert isinstance(receive(aware, "loa/1/unit/xa-1/order", token, now), Accepted)
    with pytest.raises(RefusedError) as refused:
        receive(unaware, "loa/1/unit/xa-1/order", token, now)
    assert refused.value.refusal is Refusal.UNKNOWN_KEY


def test_a_unit_whose_key_has_ended_gets_one_that_signs_at_once(province):
    later = ENDS + A_DAY
    with pytest.raises(KeyMissingError):
        key_of(province, "xa-1", later)
    renew(province, later)
    assert key_of(province, "xa-1", later)
    assert province.announce(now=later)


def test_a_clock_that_was_set_back_behind_every_key_silences_nobody(province):
    first = key_of(province, "xa-1", NOON)
    renew(province, DUE)
    assert key_of(province, "xa-1", NOON - A_DAY) == first


def test_without_the_root_key_nothing_is_renewed_and_the_log_says_when_it_ends(province):
    away = replace(province.keyring, _root=None)
    with capture_logs() as logs:
        assert tick.renew_keys(province.sessions, DUE, keyring=away) == 0
    assert [(one["event"], one["first_ends"]) for one in logs] == [
        ("keys_not_renewed", ENDS.isoformat())
    ]
    assert tick.renew_keys(province.sessions, DUE, keyring=province.keyring) > 0
