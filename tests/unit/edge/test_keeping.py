"""What counts in memory while the disk takes nothing, and what of it comes to the disk later."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from edge.keeping import Keeping
from edge.schedule import Kept
from edge.store import Store, Turn
from tests.factories.claims import NOON, at
from tests.factories.lives import Disk


@pytest.fixture
def world():
    return SimpleNamespace(is_disk_full=False)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = Store(tmp_path / "node.db")
    yield opened
    opened.close()


@pytest.fixture
def keeping(store, world):
    return Keeping(Disk(store, world), lambda _body: True)


def a_turn(raw: bytes = b"", now=NOON) -> Turn:
    kept = Kept("plan", "xa-1", raw, accepted_at=now, forget_at=at(60)) if raw else None
    return Turn({}, {}, now, kept)


def raws(tokens) -> list[bytes]:
    return [kept.raw for kept in tokens]


def test_what_the_disk_did_not_take_counts_and_comes_to_the_disk_once_there_is_room(
    keeping, store, world
):
    keeping.keep(a_turn(b"old"), 0.0)
    world.is_disk_full = True
    keeping.keep(a_turn(b"new"), 1.0)
    assert (raws(keeping.tokens()), raws(store.tokens())) == ([b"new"], [b"old"])
    assert keeping.trouble == "disk-full"
    keeping.keep_again(a_turn(), 2.0)
    world.is_disk_full = False
    keeping.keep_again(a_turn(), 3.0)
    assert (raws(store.tokens()), keeping.trouble) == ([b"new"], "")


def test_what_waited_for_room_never_takes_the_place_of_what_came_after_it(keeping, store, world):
    world.is_disk_full = True
    keeping.keep(a_turn(b"old"), 0.0)
    world.is_disk_full = False
    keeping.keep(a_turn(b"new", at(1)), 1.0)
    assert raws(keeping.tokens()) == [b"new"]
    keeping.keep_again(a_turn(), 2.0)
    assert raws(store.tokens()) == [b"new"]
