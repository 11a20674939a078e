"""The table of readings: what is written, and what a careful reader says for it."""

from collections import defaultdict
from pathlib import Path

import pytest

from audio_library.reading import Kind, read

_CASES: dict[str, list[tuple[str, str]]] = defaultdict(list)
for _line in Path(__file__).with_name("readings.tsv").read_text("utf-8").splitlines():
    _kind, _written, _said = _line.split("\t")
    _CASES[_kind].append((_written, _said))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_writing_is_read_as_a_careful_reader_says_it(kind):
    cases = _CASES[kind.value]
    assert cases
    assert [(written, read(written).said) for written, _said in cases] == cases


def test_the_table_is_long_enough_to_be_believed():
    assert set(_CASES) == {kind.value for kind in Kind}
    written = [case[0] for cases in _CASES.values() for case in cases]
    assert len(set(written)) == len(written) >= 250
