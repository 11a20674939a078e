"""What stations send becomes sound, and what a node may be told to ask."""

import socket
import threading
from time import monotonic

import numpy as np
import pytest

from edge.errors import Stall, StationError
from edge.player import hls
from edge.player.reception import Receiver
from edge.player.web import Web, check_address
from tests.factories.radios import Radio, hls_of, programme
from tests.factories.sounds import RATE_HZ, lag_s, noise, rms

SONG = noise(12.0)
GIVEN_UP_S = 10.0
"""Sooner than anybody gives up who waits as long as for a station that is slow."""


@pytest.fixture
def radio():
    radio = Radio()
    yield radio
    radio.close()


def received(url, *, seconds=3.0, near=True, read_s=20.0):
    """So many seconds of a station."""
    over, found = threading.Event(), []
    for chunk in Receiver(Web(near=near, read_s=read_s))(url, over):
        found.append(chunk)
        if sum(map(len, found)) >= seconds * RATE_HZ:
            over.set()
    return np.concatenate(found)


def stall_of(url, **options: object):
    with pytest.raises(StationError) as caught:
        received(url, **options)
    return caught.value.stall


@pytest.mark.parametrize(
    ("form", "kind"),
    [("mp3", "audio/mpeg"), ("adts", "audio/aacp"), ("ogg", "application/ogg"), ("adts", "")],
)
def test_a_stream_is_joined_in_its_middle_whatever_it_is_made_of(radio, tmp_path, form, kind):
    radio.body = programme(tmp_path / "live", SONG, form=form).read_bytes()
    radio.kind, radio.bytes_per_s = kind, len(radio.body) // 12
    radio.go_to(8.0, burst_s=5.0)
    since_s = monotonic()
    sound = received(radio.url(), seconds=3.0)
    asked_within_s = monotonic() - since_s
    assert 2.5 < lag_s(SONG, sound[RATE_HZ : 2 * RATE_HZ]) < 5.5 + asked_within_s
    assert rms(sound[RATE_HZ:]) == pytest.approx(0.09, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("fragmented", [False, True])
def test_hls_begins_near_the_newest_segment_and_goes_on_without_a_seam(radio, tmp_path, fragmented):
    radio.folder = hls_of(tmp_path / "hls", SONG, fragmented=fragmented)
    sound = received(radio.url("/live.m3u8"), seconds=2.5)
    begun = lag_s(SONG, sound[4800 : RATE_HZ // 2]) - 0.1
    assert 8.5 < begun < 9.5
    later = lag_s(SONG, sound[2 * RATE_HZ : 5 * RATE_HZ // 2])
    assert later == pytest.approx(begun + 2.0, abs=0.001)


@pytest.mark.slow
def test_of_several_loudnesses_the_one_that_spares_the_data_plan_is_taken(radio, tmp_path):
    radio.folder = hls_of(tmp_path / "hls", SONG)
    (radio.folder / "all.m3u8").write_text(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000\nbig.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=128000\nlive.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=24000\nsmall.m3u8\n"
    )
    received(radio.url("/all.m3u8"), seconds=1.0)
    assert radio.asked[:2] == ["/all.m3u8", "/live.m3u8"]


@pytest.mark.slow
def test_a_station_that_answers_as_shoutcast_does_is_heard(radio, tmp_path):
    radio.send_at_once(programme(tmp_path / "live", SONG).read_bytes())
    radio.status_line = b"ICY 200 OK\r\nicy-name: Dai\r\n"
    assert len(received(radio.url(), seconds=1.0)) >= RATE_HZ


@pytest.mark.slow
def test_a_redirect_is_followed_and_a_ring_of_them_is_not(radio, tmp_path):
    radio.send_at_once(programme(tmp_path / "live", SONG).read_bytes())
    radio.redirects = {"/old": "/live", "/ring": "/ring", "/disk": "file:///etc/passwd"}
    assert len(received(radio.url("/old"), seconds=1.0)) >= RATE_HZ
    assert stall_of(radio.url("/ring")) is Stall.REFUSED
    assert len(radio.asked) < 10
    assert stall_of(radio.url("/disk")) is Stall.FORBIDDEN


def test_what_is_not_there_or_is_no_sound_is_said_in_words(radio, tmp_path):
    radio.folder = tmp_path
    (tmp_path / "page").write_text("<html>" * 5000)
    (tmp_path / "empty.m3u8").write_text("#EXTM3U\n")
    (tmp_path / "secret.m3u8").write_text(
        '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:2,\na.ts\n'
    )
    (tmp_path / "many.m3u8").write_text("#EXTM3U\n" + "#\n" * hls.PLAYLIST_BYTES)
    assert stall_of(radio.url("/nothing")) is Stall.REFUSED
    for name in ("page", "empty.m3u8", "secret.m3u8", "many.m3u8"):
        assert stall_of(radio.url(f"/{name}")) is Stall.NOT_AUDIO


def test_a_station_that_takes_the_call_and_says_nothing_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url, began_s = f"http://127.0.0.1:{deaf.getsockname()[1]}/", monotonic()
        assert stall_of(url, read_s=0.3) is Stall.NO_ANSWER
    assert monotonic() - began_s < GIVEN_UP_S
    assert stall_of(url) is Stall.NO_ANSWER


@pytest.mark.slow
def test_a_station_that_falls_silent_is_lost(radio, tmp_path):
    radio.send_at_once(programme(tmp_path / "live", SONG).read_bytes()[:40_000])
    radio.holds_on = True
    assert stall_of(radio.url(), seconds=60.0, read_s=0.3) is Stall.LOST


def test_nobody_is_asked_who_cannot_be_a_station(radio, tmp_path):
    radio.folder = tmp_path
    assert stall_of(radio.url(), near=False) is Stall.FORBIDDEN
    assert stall_of(f"http://localhost:{radio.port}/live", near=False) is Stall.FORBIDDEN
    assert radio.asked == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "fe80::1%eth0", "169.254.169.254"),
        *("0.0.0.0", "::", "224.0.0.1", "255.255.255.255"),  # noqa: S104 - refused
    ],
)
def test_the_machine_itself_and_its_wire_are_no_stations(address):
    with pytest.raises(StationError) as caught:
        check_address(address)
    assert caught.value.stall is Stall.FORBIDDEN


@pytest.mark.parametrize("address", ["203.162.0.1", "10.20.0.5", "192.168.1.9", "2405:4800::1"])
def test_a_station_may_stand_anywhere_else(address):
    check_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:x\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1e999,\na.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:NOTHING\na.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n#EXT-X-BYTERANGE:5@0\na.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nhttp://[bad\n",
        "#EXTM3U\n#EXTINF:1,\na.ts\n",
    ],
)
def test_a_playlist_that_cannot_be_played_is_refused(text):
    with pytest.raises(StationError):
        hls.parse("http://dai.example/a.m3u8", text)


def test_a_playlist_names_its_segments_from_its_own_address():
    text = (
        '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI="i.mp4"\n'
        "#EXTINF:3.9,tin\nx/7.m4s\n#EXTINF:4,\nhttps://khac.example/8.m4s\n"
    )
    assert hls.parse("http://dai.example/a/b.m3u8", text) == hls.Playlist(
        4.0,
        7,
        (
            hls.Segment("http://dai.example/a/x/7.m4s", "http://dai.example/a/i.mp4", 3.9),
            hls.Segment("https://khac.example/8.m4s", "http://dai.example/a/i.mp4", 4.0),
        ),
        ended=False,
    )
