"""What the node must not forget: on disk, or in memory for as long as the disk takes nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import final

import structlog

from edge.errors import StoreError
from edge.outbox import Outbox
from edge.schedule import Kept
from edge.store import KeptReport, Store, Turn

_log = structlog.get_logger()

_MOST_REPORTS = 1000
"""So many reports at most wait in memory; the oldest goes first."""


@final
class Keeping:
    """Puts on disk what a turn changed; what the disk does not take still counts.

    Args:
        store: The disk.
        send: Hands a report to the link; False when there is no connection.

    Attributes:
        trouble: Why the disk takes nothing; empty: it does.
    """

    def __init__(self, store: Store, send: Callable[[bytes], bool]) -> None:
        self._store, self._send = store, send
        self._outbox = Outbox(store, send)
        self._reports: tuple[KeptReport, ...] = ()
        self._tokens: dict[tuple[str, str], Kept] = {}
        self.trouble = store.trouble

    def note(self, reports: Iterable[KeptReport]) -> None:
        """Hold reports until the next turn is kept."""
        self._reports = (*self._reports, *reports)

    def keep(self, turn: Turn, now_s: float) -> None:
        """Put a turn on disk, with all reports that wait, and send what is due.

        Args:
            turn: What changed.
            now_s: Monotonic time in seconds.
        """
        self.note(turn.reports)
        reports = self._reports
        if not self.try_to(lambda: self._store.keep(replace(turn, reports=reports))):
            if turn.kept is not None:
                self._tokens[turn.kept.kind, turn.kept.name] = turn.kept
            self._reports = reports[-_MOST_REPORTS:]
            self._send_unkept()
            return
        if turn.kept is not None:
            # What it takes the place of must not be put on disk after it.
            self._tokens.pop((turn.kept.kind, turn.kept.name), None)
        if reports or turn.kept is not None:
            # Something was really written.
            self.trouble = self._store.trouble
        if reports:
            self._reports = ()
            self._outbox.send_now(reports, now_s)
            self.send_due(now_s)

    def try_to(self, change: Callable[[], None]) -> bool:
        """Change something on disk; a disk that takes nothing is told of, once."""
        try:
            change()
        except StoreError as error:
            if error.trouble != self.trouble:
                _log.error("disk_keeps_nothing", error=str(error))
            self.trouble = error.trouble
            return False
        return True

    def send_due(self, now_s: float, *, all_again: bool = False) -> None:
        """Send the reports that are due, those in memory first."""
        self._send_unkept()
        self.try_to(lambda: self._outbox.send_due(now_s, all_again=all_again))

    def awaits_receipt(self, message_id: str) -> bool:
        """Say whether the server has not yet acknowledged that an order was received."""
        return self._store.awaits_receipt(message_id)

    def acknowledge(self, report_ids: tuple[str, ...], now_s: float) -> None:
        """Forget the reports that the server has; send more, where more waits."""
        self._reports = tuple(one for one in self._reports if one.report_id not in report_ids)
        self.try_to(lambda: self._outbox.acknowledge(report_ids, now_s))

    def tokens(self) -> tuple[Kept, ...]:
        """Give every message that is kept, wherever it is."""
        on_disk = {(kept.kind, kept.name): kept for kept in self._store.tokens()}
        return tuple((on_disk | self._tokens).values())

    def forget(self, tokens: Sequence[Kept]) -> None:
        """Forget messages."""
        for kept in tokens:
            self._tokens.pop((kept.kind, kept.name), None)
        self.try_to(lambda: self._store.forget_tokens(tokens))

    def keep_again(self, turn: Turn, now_s: float) -> None:
        """Try once more to put on disk the messages that it did not take."""
        for kept in tuple(self._tokens.values()):
            self.keep(replace(turn, kept=kept), now_s)

    def come_back(self) -> None:
        """Go on on the disk, where it took nothing when this program began and does so now."""
        if self._store.trouble and self.try_to(self._store.come_back):
            self.trouble = ""
            _log.info("disk_keeps_again")

    def _send_unkept(self) -> None:
        for report in self._reports:
            self._send(report.body)
