"""``python -m audio_library``: prepare a file, check a store, speak a text."""

import argparse
import sys
from pathlib import Path

import msgspec

from audio_library.errors import AudioLibraryError
from audio_library.ingest import ingest
from audio_library.manifest import read_manifest
from audio_library.reading import read
from audio_library.store import Store
from audio_library.tts import DEFAULT_LANGUAGE, Manner
from audio_library.tts.espeak import installed_synthesiser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 1 when something was refused or damaged."""
    chosen = _parser().parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except (AudioLibraryError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return status


def _ingest(chosen: argparse.Namespace) -> int:
    asset = ingest(chosen.file, Store(chosen.store))
    _say(msgspec.json.format(msgspec.json.encode(asset), indent=2).decode())
    return 0


def _speak(chosen: argparse.Namespace) -> int:
    reading = read(chosen.text)
    installed_synthesiser().speak(reading.said, chosen.out, Manner(chosen.language))
    _say(reading.said)
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    store = Store(chosen.dir)
    damaged = 0
    count = 0
    for digest in store.digests():
        count += 1
        try:
            read_manifest(store, digest)
            finding = "" if store.verify(digest) else "the bytes do not bear their name"
        except AudioLibraryError as error:
            finding = str(error)
        if finding:
            damaged += 1
            _say(f"{digest}: {finding}")
    _say(f"{count} assets, {damaged} damaged")
    return 1 if damaged else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audio_library", description="Prepare, check and make sound."
    )
    commands = parser.add_subparsers(required=True)
    bring = commands.add_parser("ingest", help="prepare a file and keep it in a store")
    bring.set_defaults(run=_ingest)
    bring.add_argument("file", type=Path, metavar="FILE")
    bring.add_argument("--store", type=Path, metavar="DIR", required=True)
    verify = commands.add_parser("verify", help="check every file of a store against its name")
    verify.set_defaults(run=_verify)
    verify.add_argument("dir", type=Path, metavar="DIR")
    speak = commands.add_parser("speak", help="write a text, spoken, as a WAV file")
    speak.set_defaults(run=_speak)
    speak.add_argument("text", metavar="TEXT")
    speak.add_argument("out", type=Path, metavar="OUT")
    speak.add_argument("--language", default=DEFAULT_LANGUAGE, metavar="TAG")
    return parser


if __name__ == "__main__":
    sys.exit(main())
