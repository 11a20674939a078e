"""The relay that powers the amplifier: closed only while a claim is heard."""

import atexit
import threading
from typing import Any, final

import structlog

from edge.errors import PinError
from edge.settings import Board

_log = structlog.get_logger()


@final
class AmplifierRelay:
    """Switches the relay; opening it waits for the cool-down, so that no fade is cut off."""

    def __init__(self, board: Board) -> None:
        self._device = _opened(board)
        self._cool_down_s = board.cool_down_s
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        atexit.register(self.close)

    @property
    def is_on(self) -> bool:
        """Whether the relay is closed."""
        return bool(self._device.value)

    def power(self, *, on: bool, linger_s: float = 0.0) -> None:
        """Close the relay at once, or open it after the cool-down.

        Args:
            on: Whether to close it.
            linger_s: How much longer than by the clock the sound still lasts.
        """
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if on:
                self._device.on()
            else:
                self._timer = threading.Timer(self._cool_down_s + linger_s, self._cut)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Open the relay at once and give the pin back; closing twice is harmless."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not self._device.closed:
                self._device.off()
                self._device.close()
        atexit.unregister(self.close)

    def _cut(self) -> None:
        with self._lock:
            # Powered again while this was waiting for the lock: that word is the later one.
            if self._timer is threading.current_thread() and not self._device.closed:
                self._device.off()
                self._timer = None


def _opened(board: Board) -> Any:  # noqa: ANN401 - gpiozero is untyped
    # Imported here: it takes a tenth of a second, and only this class needs it.
    from gpiozero import GPIOZeroError, OutputDevice  # noqa: PLC0415 - see above
    from gpiozero.pins.mock import MockFactory  # noqa: PLC0415 - see above

    factory = MockFactory() if board.amplifier_pin is None else None
    pin = 17 if board.amplifier_pin is None else board.amplifier_pin
    try:
        return OutputDevice(
            pin, active_high=board.active_high, initial_value=False, pin_factory=factory
        )
    except (GPIOZeroError, OSError, ImportError) as error:
        raise PinError(pin, str(error)) from error
