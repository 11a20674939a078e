from queue import SimpleQueue

import pytest

from edge.errors import OutputError
from edge.player import Died
from edge.player.life import Life, Vigil


def test_a_thread_that_dies_of_a_known_error_says_why():
    events = SimpleQueue()
    life = Life(events)
    with Vigil(life):
        raise OutputError("alsa:hw:0", "No such device")
    died = events.get_nowait()
    assert isinstance(died, Died)
    assert "No such device" in died.reason
    assert life.over.is_set()


def test_a_thread_that_dies_of_a_surprise_says_so_and_lets_the_traceback_out():
    events = SimpleQueue()
    with pytest.raises(ZeroDivisionError), Vigil(Life(events)):
        1 / 0  # noqa: B018 - the surprise
    assert "ZeroDivisionError" in events.get_nowait().reason


def test_only_the_first_death_is_told():
    events = SimpleQueue()
    life = Life(events)
    life.perish("first")
    life.perish("second")
    assert events.get_nowait() == Died("first")
    assert events.empty()


def test_a_player_that_is_closed_does_not_die():
    events = SimpleQueue()
    life = Life(events)
    life.close()
    with Vigil(life):
        raise OutputError("alsa:hw:0", "is closed")
    assert events.empty()
