"""The node program whose recording output has a crystal that is 100 ppm fast."""

import sys
from functools import partial

from edge import __main__ as program
from edge.player import recording

CRYSTAL_PPM = 100.0

if __name__ == "__main__":
    recording.RecordingOutput = partial(recording.RecordingOutput, crystal_ppm=CRYSTAL_PPM)
    sys.exit(program.main())
