"""Who is told of silent clusters, once each; what becomes of it, and that it ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
from cryptography.fernet import Fernet

from protocol.messages import Started
from server.domain.alerts import MOST_TRIES, Answer, Result
from server.domain.authority import Role
from server.domain.errors import (
    ContactRefusedError,
    EscalationRefusedError,
    NotAllowedError,
    UnknownThingError,
)
from server.domain.escalation import Rule, Step
from server.integrations.fake_messenger import FakeMessenger
from server.scheduler.couriers import Courier
from server.services import alerting, contact_channels, contacts, escalating, escalation_rules
from server.services.contact_channels import NewChannel
from server.services.contacts import NewContact
from server.store.models import (
    AlertChannelRow,
    AlertRow,
    AuditRow,
    ContactRow,
    EscalationRow,
    EventRow,
)
from tests.factories.claims import NOON
from tests.factories.units import OPERATOR, PROVINCE, an_actor

SITE = "https://loa.vn"
ZALO = "zalo://123456:secret-token/789"
SCHEMES = ("zalo", "json")


def after(some_s: float):
    return NOON + timedelta(seconds=some_s)


def person(province, *urls: str, name="Ông Páo", unit_id=PROVINCE, **facts: object) -> str:
    new = NewContact(unit_id, name, "0912 345 678", **facts)
    made = province.run(contacts.add_contact, new=new, now=NOON, actor=OPERATOR).contact_id
    for url in urls:
        channel(province, made, url)
    return made


def channel(province, contact_id, url=ZALO, *, actor=OPERATOR, name="Zalo"):
    return province.run(
        contact_channels.add_channel,
        contact_id=contact_id,
        new=NewChannel(name, url),
        schemes=SCHEMES,
        now=NOON,
        actor=actor,
        keyring=province.keyring,
    ).channel_id


def lay_down(province, *steps: Step, unit_id=PROVINCE):
    province.run(
        escalation_rules.lay_down,
        unit_id=unit_id,
        bulletin_class="emergency",
        rule=Rule(10, 15, steps),
        version="",
        now=NOON,
        actor=OPERATOR,
    )


def look(province, some_s):
    return province.run(escalating.name_unanswered, now=after(some_s), site=SITE)


def courier(province, messenger, some_s):
    sessions = province.sessions
    return Courier(sessions, sessions, province.keyring, messenger, lambda: after(some_s))


def deliver(province, messenger, some_s):
    return courier(province, messenger, some_s).step()


def alerts(province):
    rows = sorted(province.rows(AlertRow), key=lambda row: row.alert_id)
    return [(row.after_s, row.state) for row in rows]


def test_a_step_tells_its_people_once_on_all_their_channels_however_often_one_looks(province):
    one = person(province, ZALO, "json://a.vn/x")
    lay_down(province, Step(10, (one,)))
    row = province.announce()
    look(province, 9)
    assert alerts(province) == []
    for at_s in (10, 10, 11, 30):
        look(province, at_s)
    assert alerts(province) == [(10, "waiting"), (10, "waiting")]
    messenger = FakeMessenger()
    assert deliver(province, messenger, 31) == 2
    assert deliver(province, messenger, 32) == 0
    assert {letter.url for letter in messenger.sent} == {ZALO, "json://a.vn/x"}
    assert all("2/2" in letter.subject for letter in messenger.sent)
    assert f"{SITE}/broadcasts/{row.broadcast_id}" in messenger.sent[0].body
    assert alerts(province) == [(10, "sent"), (10, "sent")]
    (step,) = province.rows(EscalationRow)
    assert (step.after_s, step.at, step.silent, step.total) == (10, after(10), 2, 2)


def test_who_has_no_channel_is_named_to_be_called_and_who_is_forgotten_is_not_told(province):
    without, gone = person(province), person(province, ZALO, name="Bà Mỷ")
    lay_down(province, Step(10, (without, gone)))
    province.run(contacts.forget_contact, contact_id=gone, now=NOON, actor=OPERATOR)
    province.announce()
    look(province, 10)
    assert alerts(province) == [(10, "to-call")]
    assert deliver(province, FakeMessenger(), 11) == 0


def test_a_later_step_says_who_is_still_silent_and_the_end_goes_to_who_was_told(province):
    province.commission("xa-1-c1")
    province.commission("xa-1-c2")
    first, second = person(province, ZALO), person(province, "json://a.vn/x", name="Bà Mỷ")
    lay_down(province, Step(10, (first,)), Step(30, (first, second)), Step(900, (second,)))
    row = province.announce()
    messenger = FakeMessenger()
    for at_s, cluster in ((10, "xa-1-c1"), (30, "xa-1-c2")):
        look(province, at_s)
        deliver(province, messenger, at_s)
        word = Started(report_id=f"s-{cluster}", claim_id=row.broadcast_id, at=after(at_s))
        province.hear(f"n-{cluster}", word, now=after(at_s))
    for at_s in (31, 32, 33, 200):
        look(province, at_s)
        deliver(province, messenger, at_s)
    assert [letter.subject.split(":")[0] for letter in messenger.sent] == [
        "2/2 cụm loa chưa trả lời hoặc chưa phát",
        "Vẫn còn 1/2 cụm loa chưa trả lời hoặc chưa phát",
        "Vẫn còn 1/2 cụm loa chưa trả lời hoặc chưa phát",
        "Nay cả 2/2 cụm loa đã phát",
        "Nay cả 2/2 cụm loa đã phát",
    ]


def test_what_never_went_out_is_dropped_at_the_end_and_its_channel_is_told_nothing(province):
    province.commission("xa-1-c1")
    one = person(province, ZALO)
    lay_down(province, Step(10, (one,)))
    row = province.announce(units=(), clusters=("xa-1-c1",))
    look(province, 10)
    province.hear(
        "n-xa-1-c1", Started(report_id="s", claim_id=row.broadcast_id, at=after(11)), now=after(11)
    )
    look(province, 11)
    assert alerts(province) == [(10, "dropped")]


def test_while_one_is_being_sent_the_end_waits_so_that_it_reaches_who_is_told(province):
    province.commission("xa-1-c1")
    one = person(province, ZALO)
    lay_down(province, Step(10, (one,)))
    row = province.announce(units=(), clusters=("xa-1-c1",))
    look(province, 10)
    (taken,) = province.run(alerting.take_in_hand, now=after(10))
    province.hear(
        "n-xa-1-c1", Started(report_id="s", claim_id=row.broadcast_id, at=after(11)), now=after(11)
    )
    look(province, 11)
    assert alerts(province) == [(10, "sending")]
    province.run(alerting.note, results={taken: Answer(Result.SENT)}, now=after(12))
    look(province, 12)
    assert alerts(province) == [(10, "sent"), (0, "waiting")]


def test_what_a_service_refuses_is_tried_again_with_each_answer_kept_and_then_given_up(province):
    lay_down(province, Step(10, (person(province, ZALO),)))
    province.announce()
    look(province, 10)
    messenger = FakeMessenger({ZALO: Answer(Result.FAILED, "quota")})
    tries = [at_s for at_s in range(10, 300) if deliver(province, messenger, at_s)]
    assert tries == [10, 15, 30, 75, 195]
    (row,) = province.rows(AlertRow)
    assert row.state == "given-up"
    assert [one["words"] for one in row.results] == ["quota"] * MOST_TRIES


def test_an_address_that_cannot_be_used_is_given_up_at_once(province):
    lay_down(province, Step(10, (person(province, ZALO),)))
    province.announce()
    look(province, 10)
    messenger = FakeMessenger({ZALO: Answer(Result.PRIVATE_ADDRESS)})
    assert [at_s for at_s in range(10, 100) if deliver(province, messenger, at_s)] == [10]
    assert alerts(province) == [(10, "given-up")]


def test_what_was_in_hand_when_its_sender_died_is_tried_again_and_a_late_word_still_counts(
    province,
):
    lay_down(province, Step(10, (person(province, ZALO),)))
    province.announce()
    look(province, 10)
    (lost,) = province.run(alerting.take_in_hand, now=after(10))
    assert deliver(province, FakeMessenger(), 99) == 0
    (again,) = province.run(alerting.take_in_hand, now=after(100))
    assert (again.alert_id, again.number) == (lost.alert_id, 2)
    province.run(alerting.note, results={lost: Answer(Result.FAILED)}, now=after(101))
    assert alerts(province) == [(10, "sending")]
    province.run(alerting.note, results={lost: Answer(Result.SENT)}, now=after(102))
    province.run(alerting.note, results={again: Answer(Result.FAILED)}, now=after(103))
    (row,) = province.rows(AlertRow)
    assert row.state == "sent"
    assert [one["result"] for one in row.results] == ["interrupted", "sent"]


def test_after_a_stop_nobody_is_told_any_more(province):
    lay_down(province, Step(10, (person(province, ZALO),)))
    row = province.announce()
    look(province, 10)
    province.stop(row, now=after(11))
    assert deliver(province, FakeMessenger(), 12) == 0
    assert alerts(province) == [(10, "dropped")]


def test_two_couriers_at_once_send_each_alert_once(on_postgres):
    people = tuple(person(on_postgres, ZALO, name=f"Người {number}") for number in range(12))
    lay_down(on_postgres, Step(10, people))
    on_postgres.announce()
    look(on_postgres, 10)
    messenger = FakeMessenger()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: deliver(on_postgres, messenger, 11), range(4)))
    assert len({letter.letter_id for letter in messenger.sent}) == len(messenger.sent) == 12


def test_no_transaction_is_open_while_something_is_sent(province):
    class Looking(FakeMessenger):
        def send(self, letters):
            # Would wait for ever where the courier still held the writer's place.
            person(province, name="Người mới")
            return FakeMessenger.send(self, letters)

    lay_down(province, Step(10, (person(province, ZALO),)))
    province.announce()
    look(province, 10)
    assert deliver(province, Looking(), 11) == 1
    assert alerts(province) == [(10, "sent")]


def test_an_explosion_on_the_way_does_not_end_the_courier(province):
    class Stop:
        def __init__(self):
            self.looks = count()

        def is_set(self):
            return next(self.looks) >= 2

        def wait(self, _s):
            pass

    class Exploding(FakeMessenger):
        def send(self, letters):
            self.sent.extend(letters)
            raise InterruptedError

    lay_down(province, Step(10, (person(province, ZALO),)))
    province.announce()
    look(province, 10)
    messenger = Exploding()
    courier(province, messenger, 11).run(Stop())
    assert len(messenger.sent) == 1
    assert deliver(province, FakeMessenger(), 110) == 1


def test_an_address_that_nobody_can_unseal_keeps_no_other_from_being_told(province):
    first, second = person(province, ZALO), person(province, "json://a.vn/x", name="Bà Mỷ")
    lay_down(province, Step(10, (first, second)))
    with province.sessions.begin() as db:
        for row in db.query(AlertChannelRow).filter_by(contact_id=first):
            row.sealed_url = Fernet(Fernet.generate_key()).encrypt(ZALO.encode())
    province.announce()
    look(province, 10)
    messenger = FakeMessenger()
    assert deliver(province, messenger, 11) == 2
    assert [letter.url for letter in messenger.sent] == ["json://a.vn/x"]
    assert sorted(state for _, state in alerts(province)) == ["given-up", "sent"]


def test_a_test_goes_the_same_way_is_tried_once_and_not_twice_in_a_row(province):
    known = channel(province, person(province))
    ask = {"channel_id": known, "actor": OPERATOR}
    province.run(contact_channels.test_channel, **ask, now=NOON)
    for too_soon in (NOON, after(30)):
        with pytest.raises(ContactRefusedError):
            province.run(contact_channels.test_channel, **ask, now=too_soon)
    assert deliver(province, FakeMessenger({ZALO: Answer(Result.FAILED, "no")}), 31) == 1
    (row,) = province.rows(AlertRow)
    assert (row.state, row.broadcast_id, row.results[0]["words"]) == ("given-up", None, "no")
    province.run(contact_channels.test_channel, **ask, now=after(60))
    assert deliver(province, FakeMessenger(), 300) == 0
    assert [state for _, state in alerts(province)] == ["given-up", "dropped"]
    assert province.run(alerting.forget, now=NOON + timedelta(days=40)) == 2


def test_an_address_is_sealed_told_to_nobody_and_wiped_when_it_is_forgotten(province):
    one = person(province)
    known = channel(province, one)
    (row,) = province.rows(AlertChannelRow)
    assert b"secret-token" not in row.sealed_url
    assert province.keyring.unseal(row.sealed_url) == ZALO.encode()
    told = [repr(each.detail) for each in province.rows(AuditRow)]
    assert any("'scheme': 'zalo'" in each for each in told)
    assert not any("secret-token" in each for each in told)
    for _ in range(2):
        province.run(contact_channels.forget_channel, channel_id=known, now=NOON, actor=OPERATOR)
    assert province.rows(AlertChannelRow)[0].sealed_url is None
    assert len(province.rows(AuditRow, action="forget-channel")) == 1
    with pytest.raises(UnknownThingError):
        province.run(contact_channels.test_channel, channel_id=known, now=NOON, actor=OPERATOR)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://a.vn", "zalo", "json://a\nb", ""])
def test_an_address_of_another_service_is_refused(province, url):
    one = person(province)
    with pytest.raises(ContactRefusedError) as refused:
        channel(province, one, url)
    assert [found.fields["field"] for found in refused.value.findings] == ["url"]


def test_people_are_entered_by_who_may_lay_down_rules_there(province):
    for actor in (an_actor(Role.VIEWER), an_actor(Role.COMMUNE_OFFICER, "xa-2")):
        with pytest.raises(NotAllowedError):
            province.run(contacts.add_contact, new=NewContact("xa-1", "Ông"), now=NOON, actor=actor)
    one = person(province, unit_id="xa-1")
    with pytest.raises(NotAllowedError):
        channel(province, one, actor=an_actor(Role.COMMUNE_OFFICER, "xa-2"))
    assert channel(province, one, actor=an_actor())
    told = {event.ref for event in province.rows(EventRow) if event.kind == "contact"}
    assert told == {"xa-1"}


def test_a_rule_names_people_of_its_unit_above_it_and_under_it_and_nobody_else(province):
    above, own, elsewhere = (person(province, unit_id=each) for each in (PROVINCE, "xa-1", "xa-2"))
    with pytest.raises(EscalationRefusedError) as refused:
        lay_down(province, Step(10, (own,)), Step(20, (elsewhere,)), unit_id="xa-1")
    assert [found.fields["field"] for found in refused.value.findings] == ["step_2"]
    lay_down(province, Step(10, (own, above)), unit_id="xa-1")
    lay_down(province, Step(10, (elsewhere,)))


def test_what_cannot_be_a_name_a_number_or_a_language_is_told_at_its_field(province):
    with pytest.raises(ContactRefusedError) as refused:
        person(province, name=" \x00", language="fr")
    assert [found.fields["field"] for found in refused.value.findings] == ["name", "language"]
    new = NewContact(PROVINCE, "Ông", "gọi tôi")
    with pytest.raises(ContactRefusedError) as refused:
        province.run(contacts.add_contact, new=new, now=NOON, actor=OPERATOR)
    assert [found.fields["field"] for found in refused.value.findings] == ["phone"]
    assert province.rows(ContactRow) == []
