"""What a drill says of itself, as frames between which and the speaker's own nobody can tell."""

from contextlib import closing

import av

from audio_library.errors import AudioLibraryError
from audio_library.store import Store
from protocol.ids import AssetDigest
from server.domain.errors import BroadcastRefusedError, Finding
from server.live.capture import is_frame


def label_frames(store: Store, digest: str) -> tuple[bytes, ...]:
    """Read a prepared file as frames.

    Raises:
        BroadcastRefusedError: It is not there, or cannot be read: then nobody speaks.
    """
    try:
        with closing(av.open(str(store.path(AssetDigest(digest))))) as container:
            packets = tuple(map(bytes, container.demux(audio=0)))
    except (AudioLibraryError, av.FFmpegError, OSError) as error:
        raise BroadcastRefusedError([Finding("drill-label-missing")]) from error
    # The demuxer ends with an empty one.
    frames = tuple(packet for packet in packets if packet)
    if not frames or not all(map(is_frame, frames)):
        raise BroadcastRefusedError([Finding("drill-label-missing")])
    return frames
