"""What is in the box beside the amplifier: contacts, keys, lamps, a fan."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, final

from edge.errors import PinError
from edge.settings import Board

_BLINK_S = 0.25
"""On for so long, and off for so long: nothing else on a pole blinks like that."""

_BOUNCE_S = 0.05
"""A contact that opens and closes faster than this has not moved."""


@dataclass(frozen=True, slots=True)
class ContactMoved:
    """Event: a contact was opened or closed; ``Box.standing`` says what that means."""


@dataclass(frozen=True, slots=True)
class SilencePressed:
    """Event: somebody pressed the silence key."""


@dataclass(frozen=True, slots=True)
class TalkPressed:
    """Event: somebody presses the talk key."""


@dataclass(frozen=True, slots=True)
class TalkReleased:
    """Event: the talk key was let go."""


PinEvent = ContactMoved | SilencePressed | TalkPressed | TalkReleased


@final
class Box:
    """The pins of one board that are no amplifier; what is not wired is left out.

    Args:
        board: How the node is wired.
        tell: Takes what happens, in a thread of gpiozero's.
        pin_factory: gpiozero's way to the pins; None takes the board's own.
        clock: Monotonic seconds.

    Raises:
        PinError: The board has no such pin, or it cannot be driven.
    """

    def __init__(
        self,
        board: Board,
        tell: Callable[[PinEvent], None],
        pin_factory: Any = None,  # noqa: ANN401 - gpiozero is untyped
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board, self._clock, self._blinks_until_s = board, clock, 0.0
        self._pin_factory = pin_factory
        self._opened = ExitStack()
        try:
            self._contacts = {one.alarm: self._input(one.pin) for one in board.contacts}
            self._lamps = {one.shows: self._output(one.pin) for one in board.lamps}
            self._fan = self._output(board.fan.pin) if board.fan else None
            key = self._input(board.silence_key.pin) if board.silence_key else None
            self._talk = self._input(board.talk_key.pin) if board.talk_key else None
        except PinError:
            self._opened.close()
            raise
        for contact in self._contacts.values():
            contact.when_activated = contact.when_deactivated = lambda: tell(ContactMoved())
        if key is not None:
            key.when_activated = lambda: tell(SilencePressed())
        if self._talk is not None:
            self._talk.when_activated = lambda: tell(TalkPressed())
            self._talk.when_deactivated = lambda: tell(TalkReleased())

    @property
    def standing(self) -> frozenset[str]:
        """The alarms that the contacts give now."""
        return frozenset(
            one.alarm
            for one in self._board.contacts
            if bool(self._contacts[one.alarm].value) != one.open_is_alarm
        )

    @property
    def is_talk_key_closed(self) -> bool:
        """Whether the talk key is pressed now, or stuck."""
        return self._talk is not None and bool(self._talk.value)

    def show(self, *, network: bool, sound: bool, alarm: bool) -> None:
        """Set the lamps, unless they blink."""
        if self._clock() < self._blinks_until_s:
            return
        for name, lit in (("network", network), ("sound", sound), ("alarm", alarm)):
            if name in self._lamps:
                self._lamps[name].value = lit

    def blink(self, lasts_s: float) -> bool:
        """Blink all lamps together for a while; False where there are none."""
        self._blinks_until_s = self._clock() + lasts_s
        for lamp in self._lamps.values():
            lamp.blink(_BLINK_S, _BLINK_S, n=max(1, round(lasts_s / (2 * _BLINK_S))))
        return bool(self._lamps)

    def cool(self, temperature_c: float | None) -> None:
        """Set the fan; it runs where the temperature is not known."""
        if self._fan is None or self._board.fan is None:
            return
        if temperature_c is None or temperature_c >= self._board.fan.on_c:
            self._fan.on()
        elif temperature_c < self._board.fan.off_c:
            self._fan.off()

    def close(self) -> None:
        """Give the pins back, all off; closing twice is harmless."""
        self._opened.close()

    def _input(self, pin: int) -> Any:  # noqa: ANN401 - gpiozero is untyped
        from gpiozero import DigitalInputDevice  # noqa: PLC0415 - it takes a tenth of a second

        # Closed to ground is low, which gpiozero calls active behind a pull-up.
        return self._open(DigitalInputDevice, pin, pull_up=True, bounce_time=_BOUNCE_S)

    def _output(self, pin: int) -> Any:  # noqa: ANN401 - gpiozero is untyped
        from gpiozero import DigitalOutputDevice  # noqa: PLC0415 - it takes a tenth of a second

        return self._open(DigitalOutputDevice, pin, initial_value=False)

    def _open(self, make: Callable[..., Any], pin: int, **how: object) -> Any:  # noqa: ANN401 - gpiozero is untyped
        from gpiozero import GPIOZeroError  # noqa: PLC0415 - it takes a tenth of a second

        try:
            device = make(pin, pin_factory=self._pin_factory, **how)
        except (GPIOZeroError, OSError, ImportError) as error:
            raise PinError(pin, str(error)) from error
        self._opened.callback(device.close)
        return device
