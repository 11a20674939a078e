"""Sound into Opus frames of 20 ms, as browsers make them."""

import av

from protocol.live import FRAME_S

RATE_HZ = 48_000
FRAME_SAMPLES = 960
_BIT_RATE = 32_000


def new_encoder() -> av.AudioCodecContext:
    """Open an encoder that takes mono samples of 16 bits, a frame at a time."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 - what an audio codec gives
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "s16"
    encoder.bit_rate = _BIT_RATE
    milliseconds = round(FRAME_S * 1000)
    encoder.options = {"frame_duration": str(milliseconds), "application": "voip"}
    return encoder
