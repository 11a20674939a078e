"""A disk that is full, read-only, or whose power is cut: on real file systems of their own."""

import subprocess
import sys

import pytest

_ALONE = ("unshare", "--user", "--map-root-user", "--mount")

_TRIED = subprocess.run([*_ALONE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False)
_MAY_MOUNT = _TRIED.returncode == 0

on_a_disk_of_its_own = pytest.mark.skipif(
    not _MAY_MOUNT, reason="this system lets nobody mount a file system"
)

_BEGINNING = """
import os, subprocess, sys
from pathlib import Path
import msgspec
from edge.clock import Clock
from edge.errors import StoreError
from edge.machine import FakeMachine
from edge.outbox import numbered
from edge.schedule import Kept
from edge.store import Store, Turn
from protocol.messages import AsRun, Outcome
from tests.factories.claims import NOON, at

disk = Path(sys.argv[1])
path = disk / "state" / "node.db"

def mount(*arguments):
    subprocess.run(["mount", *arguments, str(disk)], check=True)

def a_turn(name="xa-1", raw=b"x"):
    return Turn({}, {}, NOON, Kept("plan", name, raw, accepted_at=NOON, forget_at=at(60)))

def a_record():
    record = AsRun(
        report_id="-", claim_id="tin-1", cluster="c-1", at=NOON, outcome=Outcome.PLAYED
    )
    return Turn({}, {}, NOON, reports=(numbered(record),))

def links(store):
    return [msgspec.json.decode(one.body, type=AsRun).link for one in store.reports(9)]

def names(store):
    return {kept.name for kept in store.tokens()}

def a_filler():
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return filler

def in_a_life_that_is_killed(work):
    if os.fork() == 0:
        work()
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 9
"""

_READ_ONLY = """
mount("-t", "tmpfs", "none")

def life():
    store = Store(path)
    store.keep(a_turn())
    store.keep(a_record())
    store.mark_alive(NOON)
    Clock(FakeMachine(NOON.timestamp()), path.parent / "clock.json").keep()

in_a_life_that_is_killed(life)
assert path.with_name("node.db-wal").exists()
mount("-o", "remount,ro")
scratch = Path(sys.argv[2])
store = Store(path, scratch)
assert (store.trouble, store.set_aside, names(store)) == ("disk-read-only", None, {"xa-1"})
store.keep(a_turn("xa-2"))
store.mark_alive(at(1))
assert names(store) == {"xa-1", "xa-2"}
store.keep(a_record())
on_disk, in_memory = links(store)
assert in_memory.chain != on_disk.chain
assert (in_memory.number, in_memory.previous) == (1, "0" * 64)
Clock(FakeMachine(NOON.timestamp()), path.parent / "clock.json").keep()
store.close()
assert not list(scratch.iterdir())
assert names(Store(path, scratch)) == {"xa-1"}
"""

_READ_ONLY_AND_DAMAGED = """
import hashlib
from edge.cache import Cache, CachePlan

mount("-t", "tmpfs", "none")
store = Store(path)
store.keep(a_turn())
store.close()
path.write_bytes(b"SQLite format 3\\0" + b"rubbish" * 1000)
cache = Cache(disk / "audio")
good, bad = (hashlib.sha256(name).hexdigest() for name in (b"good", b"bad"))
cache.path(good).write_bytes(b"good")
cache.path(bad).write_bytes(b"b4d")
cache.part(bad).write_bytes(b"b")
mount("-o", "remount,ro")
store = Store(path, Path(sys.argv[2]))
assert store.set_aside is not None
assert (store.trouble, names(store)) == ("disk-read-only", set())
store.keep(a_turn("xa-2"))
assert names(store) == {"xa-2"}
cache = Cache(disk / "audio")
cache.evict(CachePlan((), frozenset({good})))
assert cache.recheck(good)
assert cache.recheck(bad)
assert set(cache.sizes()) == {good, bad}
"""

_FULL = """
mount("-t", "tmpfs", "-o", "size=600k", "none")
store = Store(path)
store.keep(a_turn())
filler = a_filler()
clock = Clock(FakeMachine(NOON.timestamp()), path.parent / "clock.json")
clock.keep()
assert not (path.parent / "clock.json").exists()
try:
    store.keep(a_turn("xa-2", bytes(100_000)))
except StoreError as error:
    assert error.trouble in {"disk-full", "disk-failing"}, error.trouble
else:
    raise AssertionError("a full disk took a plan")
assert names(store) == {"xa-1"}
filler.unlink()
store.keep(a_turn("xa-2", bytes(100_000)))
assert names(store) == {"xa-1", "xa-2"}
clock.keep()
assert (path.parent / "clock.json").exists()
"""

_COMES_BACK = """
from edge.keeping import Keeping

mount("-t", "tmpfs", "-o", "size=900k", "none")

def life():
    store = Store(path)
    store.keep(a_turn())
    store.keep(a_record())

in_a_life_that_is_killed(life)
filler = a_filler()
scratch = Path(sys.argv[2])
store = Store(path, scratch)
keeping = Keeping(store, lambda _body: True)
assert keeping.trouble == "disk-full", keeping.trouble
store.keep(a_turn("xa-2", bytes(100_000)))
store.keep(a_record())
reports = store.reports(9)
keeping.come_back()
assert (keeping.trouble, store.trouble) == ("disk-full", "disk-full")
with open(filler, "r+b") as file:
    file.truncate(filler.stat().st_size - 60_000)
keeping.come_back()
assert keeping.trouble == "disk-full", "room for a part took the whole"
assert names(store) == {"xa-1", "xa-2"}
filler.unlink()
keeping.come_back()
assert (keeping.trouble, store.trouble) == ("", "")
assert not list(scratch.iterdir())
store.keep(a_record())
store.mark_alive(at(1))

again = Store(path, scratch)
assert (again.trouble, again.set_aside, names(again)) == ("", None, {"xa-1", "xa-2"})
assert again.reports(9)[:2] == reports
_, in_memory, later = links(again)
assert (later.chain, later.number) == (in_memory.chain, in_memory.number + 1)
"""

_KILLED = """
import hashlib
from edge.cache import Cache

sound = os.urandom(300_000)
digest = hashlib.sha256(sound).hexdigest()
WATCHED = {"open", "os.rename", "os.remove", "os.utime", "os.truncate", "sqlite3.connect"}

def life(folder, last):
    seen = 0
    def count(event, arguments):
        nonlocal seen
        if event in WATCHED:
            seen += 1
            if seen == last:
                os._exit(9)
    sys.addaudithook(count)
    store = Store(folder / "node.db")
    cache = Cache(folder / "audio")
    machine = FakeMachine(NOON.timestamp())
    clock = Clock(machine, folder / "clock.json")
    for number in range(3):
        machine.pass_s(1)
        clock.take_issued(at(number))
        clock.keep()
        with open(cache.part(digest), "ab") as part:
            part.write(sound[number * 100_000 : (number + 1) * 100_000])
        store.keep(a_turn(f"xa-{number}"))
        store.mark_alive(at(number))
    assert cache.adopt(digest)
    clock.keep()
    os._exit(0)

points = 0
while True:
    points += 1
    folder = disk / str(points)
    folder.mkdir()
    if os.fork() == 0:
        life(folder, points)
    ended = os.waitstatus_to_exitcode(os.wait()[1])
    cache = Cache(folder / "audio")
    for name in cache.sizes():
        assert hashlib.sha256(cache.path(name).read_bytes()).hexdigest() == name
    store = Store(folder / "node.db")
    assert (store.trouble, store.set_aside) == ("", None)
    assert names(store) in [{f"xa-{n}" for n in range(count)} for count in range(4)]
    store.close()
    clock = Clock(FakeMachine(0.0), folder / "clock.json")
    clock.keep()
    if ended == 0:
        break
    assert ended == 9, ended
assert points > 20, points
assert cache.sizes() == {digest: len(sound)}
print(points)
"""

_HURRIED = """
opened, waits = [], []
def remember(event, arguments):
    if event == "sqlite3.connect/handle":
        opened.extend(arguments)
sys.addaudithook(remember)
store = Store(path)
(db,) = opened

def note(said):
    if said.startswith("PRAGMA synchronous"):
        waits.append(said.split()[-1])
    elif said == "COMMIT":
        waits.append("commit")
db.set_trace_callback(note)
store.keep(a_record())
(record,) = store.reports(9)
store.forget_reports([record.report_id])
store.keep(a_turn())
assert waits == ["commit", "NORMAL", "commit", "FULL", "commit"], waits
assert db.execute("PRAGMA synchronous").fetchone() == (2,)

db.execute("PRAGMA query_only = ON")
try:
    store.forget_reports([record.report_id])
except StoreError:
    pass
else:
    raise AssertionError("what may not be changed was changed")
assert db.execute("PRAGMA synchronous").fetchone() == (2,)
"""


def run(*command: str, script):
    done = subprocess.run(
        [*command, sys.executable, "-c", _BEGINNING + script[0], *script[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@on_a_disk_of_its_own
def test_from_a_disk_that_became_read_only_all_is_read_and_the_node_goes_on_in_memory(tmp_path):
    disk, scratch = tmp_path / "disk", tmp_path / "scratch"
    disk.mkdir()
    scratch.mkdir()
    run(*_ALONE, script=(_READ_ONLY, str(disk), str(scratch)))


@on_a_disk_of_its_own
def test_a_card_that_died_while_it_was_written_stops_no_node(tmp_path):
    disk, scratch = tmp_path / "disk", tmp_path / "scratch"
    disk.mkdir()
    scratch.mkdir()
    run(*_ALONE, script=(_READ_ONLY_AND_DAMAGED, str(disk), str(scratch)))


@on_a_disk_of_its_own
def test_a_full_disk_loses_nothing_that_is_there_and_takes_more_once_there_is_room(tmp_path):
    run(*_ALONE, script=(_FULL, str(tmp_path)))


@on_a_disk_of_its_own
def test_what_began_on_a_full_disk_comes_whole_to_the_disk_once_there_is_room_for_all(tmp_path):
    disk, scratch = tmp_path / "disk", tmp_path / "scratch"
    disk.mkdir()
    scratch.mkdir()
    run(*_ALONE, script=(_COMES_BACK, str(disk), str(scratch)))


def test_killed_anywhere_the_node_finds_whole_files_and_whole_turns(tmp_path):
    run(script=(_KILLED, str(tmp_path)))


def test_the_disk_is_waited_for_by_all_but_what_the_server_says_again(tmp_path):
    run(script=(_HURRIED, str(tmp_path)))
