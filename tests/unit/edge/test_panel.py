"""The silence key: what stands once it was pressed."""

from datetime import timedelta

from edge.panel import pressed
from edge.schedule import Holdings
from edge.settings import SilenceKey
from tests.factories.claims import NODE, NOON
from tests.factories.messages import ROOT_KEY

KEY = SilenceKey(13, minutes=10)
A_SECOND = timedelta(seconds=1)


def test_the_key_silences_for_its_minutes_all_but_emergencies():
    silence = pressed(None, KEY, NODE, NOON)
    assert silence.covers(NOON)
    assert silence.covers(NOON + timedelta(minutes=10) - A_SECOND)
    assert not silence.covers(NOON + timedelta(minutes=10))
    assert silence.spares_emergencies


def test_pressed_again_it_lets_all_sound_and_then_silences_anew():
    silence = pressed(None, KEY, NODE, NOON)
    assert pressed(silence, KEY, NODE, NOON + A_SECOND) is None
    again = pressed(silence, KEY, NODE, NOON + timedelta(minutes=10))
    assert again.covers(NOON + timedelta(minutes=19))


def test_a_clock_that_is_moved_neither_shortens_nor_lengthens_the_silence():
    silence = pressed(None, KEY, NODE, NOON)
    held = Holdings(NODE, ROOT_KEY.private.public_key(), key_silence=silence)
    for by in (timedelta(hours=2), -timedelta(hours=2)):
        moved = held.moved(by).key_silence
        assert moved.covers(NOON + by + timedelta(minutes=9))
        assert not moved.covers(NOON + by + timedelta(minutes=10))
        assert moved.spares_emergencies


def test_a_box_without_the_key_silences_nothing():
    assert pressed(None, None, NODE, NOON) is None
