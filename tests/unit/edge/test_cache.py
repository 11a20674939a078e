"""Which files are fetched first, and which are given up."""

import hashlib
import shutil
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cache import HORIZON, RESERVE_BYTES, Cache, CachePlan, Want, plan_cache
from protocol.messages import Claim, Content
from tests.factories.claims import NOON, a_claim, an_announcement, an_asset, at


def a_file(name, size_bytes=100):
    return an_asset(name, size_bytes=size_bytes)


def planned(*claims: Claim, pinned=(), sizes=None, limit_bytes=1000):
    return plan_cache(claims, pinned, sizes or {}, now=NOON, limit_bytes=limit_bytes)


def plays(asset, start_min=0.0, **overrides: object):
    return a_claim(
        claim_id=f"c-{asset.digest[:8]}",
        start=at(start_min),
        end=at(start_min + 10),
        content=Content(items=(asset,)),
        **overrides,
    )


def test_urgent_files_come_first_then_pinned_then_the_soonest():
    late, soon, chime, alarm = (a_file(name) for name in ("late", "soon", "chime", "alarm"))
    urgent = an_announcement(start=at(30), content=Content(items=(alarm,)))
    plan = planned(plays(late, 20), plays(soon, 5), urgent, pinned=(chime,))
    assert [want.digest for want in plan.wants] == [
        file.digest for file in (alarm, chime, soon, late)
    ]
    assert [want.urgent for want in plan.wants] == [True, False, False, False]


def test_a_file_that_is_there_or_far_off_is_not_wanted():
    here, far = a_file("here"), a_file("far")
    far_min = HORIZON.total_seconds() / 60 + 1
    plan = planned(plays(here), plays(far, far_min), sizes={here.digest: 100})
    assert plan == CachePlan((), frozenset())


def test_only_what_no_claim_needs_is_given_up_and_only_when_space_is_short():
    old, older, needed, chime = (a_file(name) for name in ("old", "older", "needed", "chime"))
    sizes = {file.digest: 300 for file in (older, needed, chime, old)}
    claims, pinned = (plays(needed),), (chime,)
    roomy = planned(*claims, pinned=pinned, sizes=sizes, limit_bytes=1200)
    tight = planned(*claims, pinned=pinned, sizes=sizes, limit_bytes=900)
    tighter = planned(*claims, pinned=pinned, sizes=sizes, limit_bytes=10)
    assert roomy.evict == frozenset()
    assert tight.evict == {older.digest}
    assert tighter.evict == {older.digest, old.digest}


def test_room_is_made_for_what_is_wanted():
    old, new = a_file("old", 600), a_file("new", 600)
    plan = planned(plays(new), sizes={old.digest: 600})
    (want,) = plan.wants
    assert (want.digest, plan.evict, plan.unfit) == (new.digest, {old.digest}, ())


def test_of_what_does_not_fit_the_first_in_order_are_fetched_and_the_others_named():
    alarm, chime, soon, later = (a_file(name, 400) for name in ("alarm", "chime", "soon", "later"))
    urgent = an_announcement(start=at(0), content=Content(items=(alarm,)))
    claims = (plays(later, 20), plays(soon, 5), urgent)
    plan = planned(*claims, pinned=(chime,), limit_bytes=900)
    assert [want.digest for want in plan.wants] == [alarm.digest, chime.digest]
    assert [want.digest for want in plan.unfit] == [soon.digest, later.digest]


def test_what_is_urgent_is_fetched_though_nothing_needed_is_given_up_for_it():
    alarm, needed = a_file("alarm", 400), a_file("needed", 900)
    urgent = an_announcement(start=at(0), content=Content(items=(alarm,)))
    plan = planned(urgent, plays(needed), sizes={needed.digest: 900}, limit_bytes=1000)
    assert ([want.digest for want in plan.wants], plan.evict) == ([alarm.digest], frozenset())


def test_a_file_may_wait_for_as_long_as_the_first_claim_that_needs_it():
    song, chime = a_file("song"), a_file("chime")
    urgent = an_announcement(start=at(30), content=Content(items=(a_file("alarm"),)))
    plan = planned(plays(song, 20), plays(song, 10), urgent, pinned=(chime,))
    spare = {want.digest: want.spare_s for want in plan.wants}
    assert (spare[song.digest], spare[chime.digest]) == (600, inf)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.booleans(), st.booleans()), max_size=20),
    st.integers(0, 300),
)
def test_what_is_needed_is_never_given_up_and_the_room_is_never_overrun(files, limit_bytes):
    sizes, claims = {}, []
    for number, (size_bytes, is_needed, is_there) in enumerate(files):
        file = a_file(f"f{number}", size_bytes)
        if is_there:
            sizes[file.digest] = size_bytes
        if is_needed:
            claims.append(plays(file, number))
    plan = planned(*claims, sizes=sizes, limit_bytes=limit_bytes)
    needed = {ref.digest for claim in claims for ref in claim.content.items}
    assert not plan.evict & needed
    assert {want.digest for want in (*plan.wants, *plan.unfit)} == needed - sizes.keys()
    after = sum(size for digest, size in sizes.items() if digest not in plan.evict)
    after += sum(want.size_bytes for want in plan.wants)
    there = sum(size for digest, size in sizes.items() if digest in needed)
    assert after <= max(limit_bytes, there)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "audio")


def test_a_file_gets_its_name_only_when_it_is_what_the_name_says(cache):
    good = hashlib.sha256(b"sound").hexdigest()
    cache.part(good).write_bytes(b"sound")
    assert cache.adopt(good)
    assert cache.sizes() == {good: 5}
    bad = hashlib.sha256(b"other").hexdigest()
    cache.part(bad).write_bytes(b"sound")
    assert not cache.adopt(bad)
    assert cache.sizes() == {good: 5}
    assert not cache.part(bad).exists()


def test_a_file_that_went_bad_on_disk_is_deleted(cache):
    digest = hashlib.sha256(b"sound").hexdigest()
    cache.path(digest).write_bytes(b"sound")
    assert cache.recheck(digest)
    cache.path(digest).write_bytes(b"s0und")
    assert not cache.recheck(digest)
    assert cache.sizes() == {}


def test_what_cannot_be_deleted_stays_and_stops_nothing(cache):
    digest = hashlib.sha256(b"sound").hexdigest()
    # A folder in its place cannot be deleted, nor read, as a file on a card that has died.
    for path in (cache.path(digest), cache.part(digest)):
        path.mkdir()
    assert cache.recheck(digest)
    cache.evict(CachePlan((), frozenset({digest})))
    assert cache.path(digest).exists()
    assert cache.part(digest).exists()


def test_begun_files_that_nobody_wants_any_more_are_deleted(cache):
    kept, dropped = (hashlib.sha256(name).hexdigest() for name in (b"a", b"b"))
    for digest in (kept, dropped):
        cache.part(digest).write_bytes(b"half")
    cache.evict(CachePlan((Want(kept, 8, urgent=False),), frozenset()))
    assert cache.part(kept).exists()
    assert not cache.part(dropped).exists()


def test_the_disk_is_never_filled_to_its_end(cache):
    digest = hashlib.sha256(b"sound").hexdigest()
    free = shutil.disk_usage(cache.path(digest).parent).free
    cache.path(digest).write_bytes(b"sound")
    assert cache.room_bytes() <= free - RESERVE_BYTES + 10_000_000
    assert cache.room_bytes() > 0 or free < RESERVE_BYTES
