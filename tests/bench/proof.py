"""What a node's ear finds, what it takes for something, and what listening costs."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from edge.listening.chirp import chirp, search
from edge.listening.frames import RATE_HZ, Sound, frame_powers, hum
from edge.listening.tap import TappedOutput
from edge.player.simulated import SimulatedOutput
from protocol.messages import SoundVerdict
from tests.bench.measuring import report
from tests.factories.hearing import in_the_village, judged, late, level, pink, speech, white

KINDS = (white, pink, speech)
SNR_DB = -6.0
TONES, NOISES, PROGRAMMES = 100, 200, 12
_USUAL_DB = -20.0


def main() -> None:
    """Measure, and print the figures as JSON."""
    report(
        {
            "snr_db": SNR_DB,
            "tone_found_share": share(TONES, found_tone),
            "tone_false_share": share(NOISES, false_tone),
            "tone_highest_noise_score": round(max(map(noise_score, range(NOISES))), 1),
            "programme_30s_found_share": share(PROGRAMMES, found_programme),
            "programme_30s_silent_told_share": share(PROGRAMMES, silent_told),
            "listening_cpu_ms_per_s": round(1000 * cpu_s(listen), 3),
            "sounding_cpu_ms_per_s": round(1000 * cpu_s(tapping()), 3),
            "tone_search_cpu_ms": round(1000 * cpu_s(lambda: search(white(4))), 1),
            "programme_300s_cpu_ms": round(1000 * cpu_s(long_programme()), 1),
        }
    )


def share(count: int, happens: Callable[[int], bool]) -> float:
    """Tell in which share of trials something happens."""
    return round(sum(map(happens, range(count))) / count, 4)


def found_tone(seed: int) -> bool:
    """Hear a tone under noise, somewhere in four seconds."""
    delay_s = np.random.default_rng(seed).uniform(0.05, 2.9)
    first = round(delay_s * RATE_HZ)
    sound = np.zeros(4 * RATE_HZ, np.float32)
    sound[first : first + RATE_HZ] = chirp()
    heard = in_the_village(sound, seed) * 0.02
    power = float(np.square(heard[first : first + RATE_HZ]).mean())
    noise = level(KINDS[seed % 3](4, seed + 1000), 10 * np.log10(power) - SNR_DB)
    found = search(heard + noise)
    return found.is_found and abs(found.at_s - delay_s) < 0.01


def noise_score(seed: int) -> float:
    """Search noise or voices alone."""
    return search(level(KINDS[seed % 3](4, seed + 5000), -30.0)).score


def false_tone(seed: int) -> bool:
    """Take noise or voices for the tone."""
    return search(level(KINDS[seed % 3](4, seed + 9000), -30.0)).is_found


def programme(seed: int, seconds: float = 30.0) -> Sound:
    """Make two seconds of silence, and speech."""
    return np.concatenate([np.zeros(2 * RATE_HZ, np.float32), level(speech(seconds, seed), -20.0)])


def found_programme(seed: int) -> bool:
    """Find speech of half a minute under noise."""
    sent = programme(seed)
    heard = in_the_village(late(sent, 0.1 * seed), seed) * 0.1
    noise = KINDS[seed % 3](32, seed + 1000)
    ratio = frame_powers(heard).mean() / frame_powers(noise).mean()
    noise = (noise * np.sqrt(ratio) / 10 ** (SNR_DB / 20)).astype(np.float32)
    found = judged(sent, heard + noise, _USUAL_DB)
    return found is not None and found.verdict is SoundVerdict.HEARD


def silent_told(seed: int) -> bool:
    """Tell that the horn is silent, in noise as loud as the horn would be."""
    noise = level(KINDS[seed % 3](32, seed + 2000), -45.0)
    found = judged(programme(seed), noise, _USUAL_DB)
    return found is not None and found.verdict is SoundVerdict.SILENT_HORN


def listen() -> None:
    """Do what is done with one second that is heard."""
    for piece in _SECOND.reshape(5, -1):
        frame_powers(piece)
    hum(_SECOND)


def tapping() -> Callable[[], None]:
    """Do what is done with one second that is sent."""
    output = TappedOutput(SimulatedOutput())
    blocks = np.ones((50, 960), np.int16)

    def second() -> None:
        output.delay_s()
        for block in blocks:
            output._blocks.append((0.0, block))
        for _ in output.take():
            pass

    return second


def long_programme() -> Callable[[], object]:
    """Judge the longest stretch that is ever judged."""
    sent = programme(1, 298.0)
    heard = (in_the_village(sent) * 0.1).astype(np.float32)
    return lambda: judged(sent, heard, _USUAL_DB)


def cpu_s(work: Callable[[], object], turns: int = 5) -> float:
    """Tell the median processor time of something."""
    times = []
    for _ in range(turns):
        began_s = time.process_time()
        work()
        times.append(time.process_time() - began_s)
    return median(times)


_SECOND = white(1)

if __name__ == "__main__":
    main()
