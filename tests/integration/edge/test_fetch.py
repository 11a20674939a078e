"""Audio over a real HTTP server that cuts, lies and stalls."""

import queue
import random
from math import inf

import pytest

from edge.cache import Cache, Want
from edge.fetch import Fetched, Fetcher
from tests.factories.claims import NODE
from tests.factories.stations import SECRET, AudioServer
from tests.factories.waiting import PATIENCE_S, wait_until

MANY = 1_000_000


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "audio")


@pytest.fixture
def arrived():
    return queue.SimpleQueue()


@pytest.fixture
def fetcher(cache, arrived):
    running = Fetcher(cache, NODE, SECRET, arrived.put)
    running.start()
    yield running
    running.close()
    assert not running.is_alive()


def some_bytes(seed, size=MANY):
    return random.Random(seed).randbytes(size)  # noqa: S311 - no secret, only bytes


def wanted(ref, *, urgent=False):
    return Want(ref.digest, ref.size_bytes, urgent=urgent)


def test_a_file_is_fetched_by_its_digest_with_the_nodes_own_name(audio, cache, arrived, fetcher):
    ref = audio.add(some_bytes(1))
    fetcher.want([wanted(ref)], [audio.base])
    assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)
    assert cache.path(ref.digest).read_bytes() == some_bytes(1)


def test_a_file_that_is_there_already_is_not_fetched_again(audio, arrived, fetcher):
    ref = audio.add(some_bytes(1))
    for _ in range(3):
        fetcher.want([wanted(ref)], [audio.base])
        assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)
    assert len(audio.requests) == 1


def test_a_download_that_was_cut_goes_on_where_it_ended(audio, cache, arrived, fetcher):
    ref = audio.add(some_bytes(2))
    audio.cut_after[ref.digest] = 400_000
    fetcher.want([wanted(ref)], [audio.base])
    assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)
    assert cache.path(ref.digest).read_bytes() == some_bytes(2)
    (_, first), (_, second) = audio.requests
    assert first == ""
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= 400_000


def test_a_file_that_is_not_what_its_name_says_is_fetched_again(audio, cache, arrived, fetcher):
    ref = audio.add(some_bytes(3))
    audio.spoiled.add(ref.digest)
    fetcher.want([wanted(ref)], [audio.base])
    assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)
    assert cache.path(ref.digest).read_bytes() == some_bytes(3)
    assert fetcher.bad_digests == 1


def test_the_next_address_is_tried_when_one_has_nothing(audio, arrived, fetcher):
    ref = audio.add(some_bytes(4))
    nobody = "http://127.0.0.1:9/assets"
    fetcher.want([wanted(ref)], [nobody, f"{audio.base}/elsewhere", audio.base])
    assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)


@pytest.mark.parametrize("how", ["held", "dripping"])
def test_an_urgent_file_overtakes_a_download_that_waits_or_hardly_goes_on(
    audio, arrived, fetcher, how
):
    slow, urgent = audio.add(some_bytes(5)), audio.add(some_bytes(6, 1000))
    slowed = getattr(audio, how)
    slowed.add(slow.digest)
    fetcher.want([wanted(slow)], [audio.base])
    wait_until(lambda: audio.requests)
    fetcher.want([wanted(urgent, urgent=True), wanted(slow)], [audio.base])
    # Before a server that says nothing, or next to nothing, would be given up in any case.
    assert arrived.get(timeout=8) == Fetched(urgent.digest)
    slowed.clear()
    assert arrived.get(timeout=PATIENCE_S) == Fetched(slow.digest)


def test_what_is_not_wanted_any_more_is_given_up_and_resumed_when_it_is_again(
    audio, cache, arrived, fetcher
):
    ref = audio.add(some_bytes(7))
    audio.cut_after[ref.digest] = 300_000
    fetcher.want([wanted(ref)], [audio.base])
    wait_until(cache.part(ref.digest).exists)
    wait_until(lambda: cache.part(ref.digest).stat().st_size > 0)
    fetcher.want([], [])
    fetcher.want([wanted(ref)], [audio.base])
    assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)
    assert cache.path(ref.digest).read_bytes() == some_bytes(7)


def test_a_wrong_secret_fetches_nothing(audio, cache, arrived):
    ref = audio.add(some_bytes(8))
    stranger = Fetcher(cache, NODE, "another secret", arrived.put)
    stranger.start()
    stranger.want([wanted(ref)], [audio.base])
    wait_until(lambda: len(audio.requests) > 1)
    stranger.close()
    assert cache.sizes() == {}
    assert not cache.part(ref.digest).exists()


def test_a_server_that_sends_a_byte_now_and_then_is_left_for_the_next(audio, cache, arrived):
    ref = audio.add(some_bytes(9, 5000))
    slow = AudioServer()
    slow.files, slow.dripping = audio.files, {ref.digest}
    hasty = Fetcher(cache, NODE, SECRET, arrived.put, slow_after_s=0.3)
    hasty.start()
    hasty.want([wanted(ref)], [slow.base, audio.base])
    assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)
    assert cache.path(ref.digest).read_bytes() == some_bytes(9, 5000)
    resumed = int(audio.requests[0][1].removeprefix("bytes=").removesuffix("-"))
    assert 0 < resumed < 100
    hasty.close()
    slow.close()


def test_a_file_that_is_never_what_its_name_says_is_not_fetched_for_ever(audio, fetcher):
    ref = audio.add(some_bytes(10, 1000))
    audio.lying.add(ref.digest)
    fetcher.want([wanted(ref)], [audio.base])
    wait_until(lambda: fetcher.bad_digests == 2)
    assert fetcher.troubles() == {"audio-wrong"}
    other = audio.add(some_bytes(11, 1000))
    fetcher.want([wanted(ref), wanted(other)], [audio.base])
    wait_until(lambda: audio.requests[-1][0] == other.digest)
    assert [digest for digest, _ in audio.requests].count(ref.digest) == 2


def test_what_is_not_urgent_waits_at_random_and_never_past_half_of_its_time(audio, cache, arrived):
    patient = Fetcher(cache, NODE, SECRET, arrived.put, spread_s=1e6)
    patient.start()
    pinned, soon, urgent = (audio.add(some_bytes(seed, 1000)) for seed in (12, 13, 14))
    patient.want(
        [
            wanted(urgent, urgent=True),
            Want(pinned.digest, 1000, urgent=False, spare_s=inf),
            Want(soon.digest, 1000, urgent=False, spare_s=0.5),
        ],
        [audio.base],
    )
    came = {arrived.get(timeout=PATIENCE_S).digest for _ in range(2)}
    assert came == {urgent.digest, soon.digest}
    assert pinned.digest not in {digest for digest, _ in audio.requests}
    patient.close()


def test_a_file_that_cannot_be_had_is_told_of_when_it_is_needed_soon(audio, fetcher):
    ref = audio.add(some_bytes(15, 1000))
    fetcher.want([Want("0" * 64, 10, urgent=False), wanted(ref)], [audio.base])
    wait_until(lambda: fetcher.troubles() == {"audio-unreachable"})
    fetcher.want([Want("0" * 64, 10, urgent=False, spare_s=86_400.0)], [audio.base])
    assert fetcher.troubles() == frozenset()
