"""A second factor: what is set up, what is good once, and what a guesser gets."""

from datetime import timedelta

import pytest
from passlib.totp import TOTP

from server.domain.authority import Actor, Role
from server.domain.errors import FactorRefusedError
from server.services import accounts, factors, rate_counts
from server.services.factors import MOST_TRIES, TRIES_PER
from server.store.models import AuditRow, RateCountRow, RecoveryCodeRow, SecondFactorRow
from tests.factories.claims import NOON
from tests.factories.codes import STEP, give_known_secrets, shown, wrong
from tests.factories.units import OPERATOR

ME = Actor("xa", ())


@pytest.fixture(autouse=True)
def secrets_are_known(monkeypatch):
    give_known_secrets(monkeypatch)


class Owner:
    """Somebody with a phone that shows codes."""

    def __init__(self, province):
        self.province = province
        with province.sessions.begin() as db:
            self.row = accounts.create_user(
                db,
                username="xa",
                password_hash="-",  # noqa: S106 - nobody logs in with it
                full_name="",
                grants=[(Role.COMMUNE_OFFICER.value, "xa-1")],
                now=NOON,
                actor=OPERATOR,
            )
            db.flush()
            self.id = self.row.id

    def begin(self) -> TOTP:
        facts = {"keyring": self.province.keyring}
        self.province.run(factors.begin, user_id=self.id, **facts)
        return self.province.run(factors.pending, user=self.row, **facts)

    def confirm(self, code, now=NOON):
        facts = {"now": now, "keyring": self.province.keyring, "actor": ME}
        return self.province.run(factors.confirm, user=self.row, code=code, **facts)

    def prove(self, code, now=NOON):
        facts = {"now": now, "keyring": self.province.keyring, "actor": ME}
        return self.province.run(factors.prove, user=self.row, code=code, **facts)

    def standing(self):
        return self.province.run(factors.standing, user_id=self.id)


@pytest.fixture
def owner(province):
    return Owner(province)


def set_up(owner, now=NOON):
    phone = owner.begin()
    return phone, owner.confirm(shown(phone, now), now)


def test_it_counts_from_its_first_code_on_and_its_secret_lies_sealed(owner, province):
    phone = owner.begin()
    assert not owner.standing().has_factor
    with pytest.raises(FactorRefusedError):
        owner.confirm(wrong(phone))
    codes = owner.confirm(shown(phone))
    assert (owner.standing().has_factor, owner.standing().codes_left) == (True, len(codes))
    [row] = province.rows(SecondFactorRow)
    assert phone.key not in row.sealed
    kept = {row.digest for row in province.rows(RecoveryCodeRow)}
    assert not kept & set(codes)
    assert len(kept) == len(set(codes)) == 10


def test_a_code_is_good_once_and_a_minute_at_most(owner):
    phone, _codes = set_up(owner)
    assert not owner.prove(shown(phone)).is_proven  # the one it was confirmed with
    later = NOON + 4 * STEP
    assert owner.prove(shown(phone, later), later).is_proven
    assert not owner.prove(shown(phone, later), later).is_proven
    assert not owner.prove(shown(phone, later + STEP), later + 4 * STEP).is_proven


def test_a_phone_whose_clock_is_half_a_minute_off_still_counts(owner):
    phone, _codes = set_up(owner)
    later = NOON + 9 * STEP
    assert owner.prove(shown(phone, later - STEP), later).is_proven
    assert owner.prove(shown(phone, later + STEP), later).is_proven


def test_a_recovery_code_is_good_once_however_it_is_typed(owner, province):
    _phone, codes = set_up(owner)
    assert owner.prove(codes[3].upper().replace("-", " ")).is_proven
    assert not owner.prove(codes[3]).is_proven
    assert owner.standing().codes_left == len(codes) - 1
    assert len(province.rows(AuditRow, action="use-recovery-code")) == 1


def test_new_codes_end_the_old_ones(owner):
    _phone, codes = set_up(owner)
    owner.province.run(factors.new_codes, user=owner.row, now=NOON, actor=ME)
    assert not owner.prove(codes[0]).is_proven


def test_whoever_guesses_is_stopped_and_told_for_how_long(owner, province):
    phone, _codes = set_up(owner)
    later = NOON + 9 * STEP
    tried = [owner.prove(wrong(phone, later), later) for _ in range(MOST_TRIES)]
    assert [one.wait_s > 0 for one in tried] == [False] * (MOST_TRIES - 1) + [True]
    stopped = owner.prove(shown(phone, later), later + STEP)
    assert not stopped.is_proven
    assert 0 < stopped.wait_s <= TRIES_PER.total_seconds()
    after = later + TRIES_PER
    assert owner.prove(shown(phone, after), after).is_proven
    assert len(province.rows(AuditRow, action="wrong-code")) == MOST_TRIES


def test_a_new_phone_takes_the_place_of_the_old_one_only_when_it_is_confirmed(owner):
    old, _codes = set_up(owner)
    new = owner.begin()
    later = NOON + 9 * STEP
    assert owner.prove(shown(old, later), later).is_proven
    owner.confirm(shown(new, later), later)
    after = later + 9 * STEP
    assert not owner.prove(shown(old, after), after).is_proven
    assert owner.prove(shown(new, after), after).is_proven


def test_what_was_removed_proves_nothing(owner, province):
    phone, codes = set_up(owner)
    for _ in range(2):
        province.run(factors.remove, user=owner.row, now=NOON, actor=ME)
    later = NOON + 9 * STEP
    assert not owner.prove(shown(phone, later), later).is_proven
    assert not owner.prove(codes[0], later).is_proven
    assert not owner.standing().has_factor


def test_counts_begin_anew_after_their_time_and_survive_a_clock_set_back(province):
    def count(now):
        return province.run(rate_counts.count, key="k", per=TRIES_PER, now=now).hits

    assert [count(NOON), count(NOON + STEP), count(NOON + TRIES_PER)] == [1, 2, 1]
    assert count(NOON - timedelta(days=1)) == 1
    ask = {"key": "k", "per": TRIES_PER}
    assert province.run(rate_counts.counted, **ask, now=NOON).hits == 0
    assert province.run(rate_counts.forget, now=NOON + timedelta(days=1)) == 1
    assert province.rows(RateCountRow) == []


def test_what_was_counted_by_a_clock_that_was_ahead_stops_nobody_once_it_is_set_right(province):
    ask = {"key": "k", "per": TRIES_PER}
    province.run(rate_counts.count, **ask, now=NOON + timedelta(days=1), amount=MOST_TRIES)
    assert province.run(rate_counts.counted, **ask, now=NOON).hits == 0


def test_a_try_given_back_is_none_and_none_are_given_that_nobody_has_made(province):
    ask = {"key": "k", "per": TRIES_PER, "now": NOON}
    province.run(rate_counts.count, **ask)
    for _ in range(2):
        province.run(rate_counts.give_back, key="k", now=NOON)
    assert province.run(rate_counts.counted, **ask).hits == 0
    assert province.run(rate_counts.count, **ask).hits == 1
