"""A program that takes Piper's options: as small as one can be that keeps to them."""

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import argparse, math, struct, sys, wave
options = argparse.ArgumentParser()
options.add_argument("--model", required=True)
options.add_argument("--output_file", required=True)
options.add_argument("--length_scale", type=float, default=1.0)
options.add_argument("--sentence_silence", type=float, default=0.0)
chosen = options.parse_args()
with open(chosen.model, "rb") as model:
    hertz = len(model.read())
rate = 22050
for line in sys.stdin:  # like Piper: each line is written over the last one
    samples = []
    for word in line.split():
        length = int(rate * {word_s} * chosen.length_scale)
        samples += [int(9000 * math.sin(6.2832 * hertz * n / rate)) for n in range(length)]
        if word[-1] in ".!?":
            samples += [0] * int(rate * chosen.sentence_silence)
    with wave.open(chosen.output_file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{{len(samples)}}h", *samples))
"""


def a_piper(folder: Path, *, word_s: float = 0.35) -> tuple[Path, Path]:
    """Write the program and a voice; the voice's size is its pitch."""
    program = folder / "piper"
    program.write_text(_PROGRAM.format(python=sys.executable, word_s=word_s), "utf-8")
    program.chmod(0o755)
    voice = folder / "vi_VN-try-medium.onnx"
    voice.write_bytes(bytes(400))
    return program, voice
