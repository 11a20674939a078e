"""Tells systemd that the node is ready, alive or stopping (sd_notify, by datagram)."""

import socket
from typing import final

import structlog

_log = structlog.get_logger()


@final
class Watchdog:
    """Speaks to the service manager, where there is one.

    Args:
        address: What ``NOTIFY_SOCKET`` says; empty where nobody listens.
    """

    def __init__(self, address: str) -> None:
        # A leading @ stands for the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def ready(self) -> None:
        """Say that the node can play."""
        self._notify("READY=1")

    def alive(self) -> None:
        """Say that every thread is at work; silence makes systemd restart the node."""
        self._notify("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the node ends on purpose."""
        self._notify("STOPPING=1")

    def _notify(self, word: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outlet:
                outlet.sendto(word.encode(), self._address)
        except OSError as error:
            _log.warning("watchdog_unheard", error=str(error))
