"""Who may confirm is told of it on their channels: at once, once, and nobody else."""

import pytest

from server.domain.assent import ASKED_FOR
from server.domain.authority import Role
from server.domain.errors import ContactRefusedError, NotAllowedError, UnknownThingError
from server.domain.zone import LOCAL
from server.integrations.fake_messenger import FakeMessenger
from server.scheduler.couriers import Courier
from server.services import asking, contact_channels, contacts, raising
from server.store.models import AlertRow, AuditRow, EventRow
from tests.factories.claims import NOON, at
from tests.factories.units import OPERATOR, an_actor
from tests.integration.services.test_alerting import ZALO, channel, person
from tests.integration.services.test_waiting import (
    SITE,
    confirm,
    entered,
    keep_labels,
    order,
    refuse,
)

HOOK = "json://a.vn/x"


@pytest.fixture
def people(province):
    return entered(province)


def entered_as(province, login, *urls: str, unit_id="xa-1", language="vi"):
    """Enter somebody with an account and channels."""
    one = person(province, *urls, name=f"Người {login}", unit_id=unit_id, language=language)
    name_account(province, one, login)
    return one


def name_account(province, contact_id, login, *, actor=OPERATOR):
    return province.run(
        asking.name_account, contact_id=contact_id, login=login, now=NOON, actor=actor
    )


def deliver(province, messenger, now=NOON):
    sessions = province.sessions
    return Courier(sessions, sessions, province.keyring, messenger, lambda: now).step()


def states(province):
    return sorted(row.state for row in province.rows(AlertRow))


def test_who_may_confirm_is_told_at_once_with_a_link_and_only_once(province, people):
    entered_as(province, "xa-hai", ZALO, HOOK)
    row = order(province, actor=people["xa"])
    order(province, actor=people["xa"], now=at(1))
    messenger = FakeMessenger()
    assert deliver(province, messenger) == 2
    assert deliver(province, messenger, at(5)) == 0
    assert {letter.url for letter in messenger.sent} == {ZALO, HOOK}
    letter = messenger.sent[0]
    until = f"{row.ends_at.astimezone(LOCAL):%H:%M:%S %d/%m/%Y}"
    assert letter.subject == f"Chờ bạn xác nhận đến {until}: Lũ lên nhanh"
    assert f"{SITE}/broadcasts/{row.broadcast_id}" in letter.body
    assert "2 cụm loa" in letter.body
    told = province.run(raising.told_of, broadcast_id=row.broadcast_id)
    assert [(one.about, one.alert.state) for one in told] == [("confirmation", "sent")] * 2
    assert {event.kind for event in province.rows(EventRow, ref=row.broadcast_id)} == {"waiting"}


def test_what_is_only_rehearsed_says_so_in_its_first_words(province, people):
    keep_labels(province)
    entered_as(province, "xa-hai", ZALO)
    order(province, actor=people["xa"], mode="drill")
    [alert] = province.rows(AlertRow)
    assert "DIỄN TẬP" in alert.subject


def test_neither_its_author_nor_who_may_not_confirm_it_is_told(province, people):
    entered_as(province, "xa", ZALO)
    entered_as(province, "xa-khac", HOOK, unit_id="xa-2")
    person(province, ZALO, name="Không có tài khoản")
    order(province, actor=people["xa"])
    assert province.rows(AlertRow) == []


def test_the_list_of_a_commune_is_told_nothing_that_waits_for_others(province, people):
    """Who keeps that list could otherwise read along with somebody of the province."""
    entered_as(province, "tinh-mot", ZALO, unit_id="xa-2")
    order(province, actor=people["xa"])
    assert province.rows(AlertRow) == []
    entered_as(province, "tinh-mot", HOOK, unit_id="tinh", language="en")
    order(province, "r-2", actor=people["xa"])
    messenger = FakeMessenger()
    assert deliver(province, messenger) == 1
    assert messenger.sent[0].subject.startswith("Waits for you to confirm it until")


def test_who_has_no_channel_or_is_forgotten_is_sent_nothing(province, people):
    entered_as(province, "xa-hai")
    gone = entered_as(province, "xa-ba", ZALO)
    province.run(contacts.forget_contact, contact_id=gone, now=NOON, actor=OPERATOR)
    order(province, actor=people["xa"])
    assert states(province) == ["to-call"]


def test_what_has_been_decided_or_is_too_late_is_not_sent_any_more(province, people):
    entered_as(province, "xa-ba", ZALO)
    first = order(province, actor=people["xa"])
    confirm(province, first, actor=people["xa-hai"])
    second = order(province, "r-2", actor=people["xa"])
    refuse(province, second, actor=people["xa-hai"])
    assert deliver(province, FakeMessenger()) == 0
    order(province, "r-3", actor=people["xa"])
    assert deliver(province, FakeMessenger(), NOON + ASKED_FOR) == 0
    assert states(province) == ["dropped"] * 3


def test_an_account_is_named_by_who_may_and_has_to_be_one_that_may_announce_there(province, people):
    one = person(province, unit_id="xa-1")
    for login in ("xa-khac", "nobody", "XA"):
        with pytest.raises(ContactRefusedError) as refused:
            name_account(province, one, login)
        assert refused.value.findings[0].fields["field"] == "login"
    with pytest.raises(NotAllowedError):
        name_account(province, one, "xa", actor=an_actor(Role.COMMUNE_OFFICER, "xa-2"))
    for _ in range(2):
        assert name_account(province, one, "xa", actor=people["xa-hai"]).login == "xa"
    [noted] = province.rows(AuditRow, action="name-account")
    assert (noted.detail["before"], noted.detail["after"]) == (None, "xa")
    assert name_account(province, one, "").login is None
    with pytest.raises(UnknownThingError):
        name_account(province, "p-0", "xa")


def test_a_test_of_a_channel_is_not_taken_for_what_waits(province, people):
    known = channel(province, entered_as(province, "xa-hai"))
    order(province, actor=people["xa"])
    province.run(contact_channels.test_channel, channel_id=known, now=NOON, actor=OPERATOR)
    assert deliver(province, FakeMessenger()) == 2
    [shown] = province.run(contacts.nameable, unit_id="xa-1", now=NOON)
    assert shown.channels[0].test.waiting_id is None
    assert shown.login == "xa-hai"
