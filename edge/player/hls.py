"""HTTP Live Streaming (RFC 8216): playlists that name the next seconds of a station as files."""

import re
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urljoin

from edge.errors import Stall, StationError
from edge.player.web import Web

HEAD = b"#EXTM3U"
PLAYLIST_BYTES = 512 * 1024

_SEGMENT_BYTES = 16 * 1024 * 1024
_NESTED = 3
# Of several loudnesses of one station the best that spares the node's data plan: it is one horn.
_BANDWIDTH = 160_000
# Begun so far behind the newest, that a segment may be late; the standard asks for three segments.
_BEHIND_S = 12.0
_LEAST_POLL_S = 0.5
_MOST_POLL_S = 6.0
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A few seconds of sound, and what must be read before it."""

    url: str
    head_url: str
    length_s: float


@dataclass(frozen=True, slots=True)
class Playlist:
    """What a station says it has.

    Attributes:
        first: Number of the first segment.
        ended: Whether no more will come.
    """

    target_s: float
    first: int
    segments: tuple[Segment, ...]
    ended: bool


def segments(url: str, text: str, web: Web, over: threading.Event) -> Generator[bytes, None, None]:
    """Give a station's sound from near its newest segment on, as it comes.

    Raises:
        StationError: It breaks off, or is none that can be played.
    """
    url, text = _media(url, text, web, over)
    following: int | None = None
    head_url, fresh_at_s = "", time.monotonic()
    while not over.is_set():
        playlist = parse(url, text)
        after = playlist.first + len(playlist.segments)
        if following is None or not playlist.first <= following <= after:
            # At the beginning, after falling behind, and when the station counts anew.
            following = playlist.first + _near_newest(playlist)
        for segment in playlist.segments[following - playlist.first :]:
            if segment.head_url != head_url:
                if head_url:
                    # Another head is another file: it is joined as after a break.
                    return
                head_url = segment.head_url
                yield web.whole(head_url, _SEGMENT_BYTES, over)
            yield web.whole(segment.url, _SEGMENT_BYTES, over)
            following += 1
            fresh_at_s = time.monotonic()
        if playlist.ended:
            return
        if time.monotonic() - fresh_at_s > max(_PATIENCE_S, 3 * playlist.target_s):
            raise StationError(Stall.LOST, "no new segment came")
        over.wait(max(_LEAST_POLL_S, min(_MOST_POLL_S, playlist.target_s / 2)))
        if not over.is_set():
            text = text_of(web.whole(url, PLAYLIST_BYTES, over))


def parse(url: str, text: str) -> Playlist:
    """Read a playlist of segments.

    Raises:
        StationError: It is none, or of a kind that cannot be played.
    """
    target_s, first, head_url, length_s = 0.0, 0, "", 0.0
    found: list[Segment] = []
    for line in map(str.strip, text.splitlines()):
        name, _colon, value = line.partition(":")
        match name:
            case "#EXT-X-TARGETDURATION":
                target_s = _number(value)
            case "#EXT-X-MEDIA-SEQUENCE":
                first = int(_number(value))
            case "#EXTINF":
                length_s = _number(value.partition(",")[0])
            case "#EXT-X-MAP":
                head_url = _joined(url, _quoted("URI", value))
            case "#EXT-X-BYTERANGE":
                raise StationError(Stall.NOT_AUDIO, "segments are parts of a file")
            case "#EXT-X-KEY" if "METHOD=NONE" not in value:
                raise StationError(Stall.NOT_AUDIO, "it is encrypted")
            case _ if line and not line.startswith("#"):
                found.append(Segment(_joined(url, line), head_url, length_s))
    if not target_s:
        raise StationError(Stall.NOT_AUDIO, "a playlist without a target duration")
    return Playlist(target_s, first, tuple(found), "#EXT-X-ENDLIST" in text)


def _media(url: str, text: str, web: Web, over: threading.Event) -> tuple[str, str]:
    """Go from a playlist of playlists down to the one that is played."""
    for _ in range(_NESTED):
        if "#EXT-X-TARGETDURATION" in text:
            return url, text
        url = _joined(url, _variant(text))
        text = text_of(web.whole(url, PLAYLIST_BYTES, over))
    raise StationError(Stall.NOT_AUDIO, "playlists that name playlists")


def _variant(text: str) -> str:
    """Choose the best that is not too large, else the smallest."""
    offers: list[tuple[int, str]] = []
    bandwidth = 0
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#EXT-X-STREAM-INF:"):
            said = re.search(r"(?:^|[:,])BANDWIDTH=(\d{1,10})", line)
            bandwidth = int(said.group(1)) if said else 0
        elif line and not line.startswith("#"):
            offers.append((bandwidth, line))
    if not offers:
        raise StationError(Stall.NOT_AUDIO, "an empty playlist")
    fitting = [offer for offer in offers if offer[0] <= _BANDWIDTH]
    return max(fitting)[1] if fitting else min(offers)[1]


def _near_newest(playlist: Playlist) -> int:
    """Tell with which segment to begin."""
    wanted_s = min(3 * playlist.target_s, _BEHIND_S)
    number = len(playlist.segments)
    while number and wanted_s > 0:
        number -= 1
        wanted_s -= playlist.segments[number].length_s or playlist.target_s
    return number


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError as error:
        raise StationError(Stall.NOT_AUDIO, "a playlist names no address") from error


def _quoted(name: str, attributes: str) -> str:
    said = re.search(rf'{name}="([^"]{{1,1000}})"', attributes)
    if said is None:
        raise StationError(Stall.NOT_AUDIO, f"a playlist without {name}")
    return said.group(1)


def _number(text: str) -> float:
    if not re.fullmatch(r"\s*\d{1,15}(\.\d{0,15})?\s*", text):
        raise StationError(Stall.NOT_AUDIO, "a playlist with a bad number")
    return float(text)


def text_of(body: bytes | bytearray) -> str:
    """Read a playlist's bytes, whatever they are."""
    return body.decode("utf-8", errors="replace")
