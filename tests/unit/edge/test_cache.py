"""Which files are fetched first, and which are given up."""

import hashlib

import pytest

from edge.cache import HORIZON, Cache, CachePlan, Want, plan_cache
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
    assert plan == CachePlan((Want(new.digest, 600, urgent=False),), frozenset({old.digest}))


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


def test_begun_files_that_nobody_wants_any_more_are_deleted(cache):
    kept, dropped = (hashlib.sha256(name).hexdigest() for name in (b"a", b"b"))
    for digest in (kept, dropped):
        cache.part(digest).write_bytes(b"half")
    cache.evict(CachePlan((Want(kept, 8, urgent=False),), frozenset()))
    assert cache.part(kept).exists()
    assert not cache.part(dropped).exists()
