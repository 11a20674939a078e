"""A recorder as a real child: what it writes is heard, and when it ends it is begun again."""

import queue
import sys
import time

import numpy as np

from edge.listening.ear import PIECE, Ear
from edge.listening.frames import RATE_HZ

_SPEAK = """
import struct, sys, time
for number in range({pieces}):
    sys.stdout.buffer.write(struct.pack("<h", number + 1) * {piece})
    sys.stdout.flush()
    time.sleep({piece} / 8000)
"""


def test_what_a_recorder_writes_is_heard_in_pieces_with_their_instants():
    heard = queue.SimpleQueue()
    script = _SPEAK.format(pieces=4, piece=PIECE)
    ear = Ear([sys.executable, "-c", script], lambda *piece: heard.put(piece))
    began_s = time.monotonic()
    ear.start()
    pieces = [heard.get(timeout=20) for _ in range(4)]
    assert [round(float(sound[0] * 32768)) for _, sound in pieces] == [1, 2, 3, 4]
    assert all(len(sound) == PIECE and sound.dtype == np.float32 for _, sound in pieces)
    instants = [at_s for at_s, _ in pieces]
    assert instants == sorted(instants)
    # It wrote its first piece without waiting for the time that it lasts.
    assert began_s - PIECE / RATE_HZ <= instants[0] <= time.monotonic()
    # It has ended by now, and is begun again.
    assert heard.get(timeout=20)[1][0] == pieces[0][1][0]
    ear.close()
    ear.close()


def test_a_recorder_that_is_not_there_harms_nothing():
    ear = Ear(["/nowhere/arecord"], lambda *_: None)
    ear.start()
    ear.close()
