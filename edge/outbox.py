"""Reports that wait on disk until the server has said that it has them."""

from collections.abc import Callable, Iterable
from typing import final
from uuid import uuid4

import msgspec

from edge.store import KeptReport, Store
from protocol.messages import AsRun, Received, Report, encode

RESEND_S = 10.0
"""How long the server may take to acknowledge before a report goes out again."""

_BATCH = 100


def numbered(report: Report) -> KeptReport:
    """Give a report its id and its final bytes."""
    with_id = msgspec.structs.replace(report, report_id=uuid4().hex)
    message_id = report.message_id if isinstance(report, Received) else ""
    record = with_id if isinstance(with_id, AsRun) else None
    return KeptReport(with_id.report_id, encode(with_id), message_id, record)


@final
class Outbox:
    """Sends what is on disk, and forgets what is acknowledged.

    Args:
        store: Where the reports are.
        send: Hands bytes to the link; False when there is no connection.
    """

    def __init__(self, store: Store, send: Callable[[bytes], bool]) -> None:
        self._store = store
        self._send = send
        self._sent_at_s: dict[str, float] = {}
        self._is_more = False

    def send_due(self, now_s: float, *, all_again: bool = False) -> None:
        """Send reports not sent yet, and those sent long ago.

        Args:
            now_s: Monotonic time in seconds.
            all_again: Whether the connection is new, or the server asks again.
        """
        if all_again:
            self._sent_at_s.clear()
        reports = self._store.reports(_BATCH)
        self._is_more = len(reports) == _BATCH
        for report in reports:
            sent_at_s = self._sent_at_s.get(report.report_id)
            if sent_at_s is not None and now_s - sent_at_s < RESEND_S:
                continue
            if not self._send(report.body):
                return
            self._sent_at_s[report.report_id] = now_s

    def send_now(self, reports: Iterable[KeptReport], now_s: float) -> None:
        """Send what has just been put on disk before all that waits there.

        Somebody waits for the answer to an order, also from a node that has much else to tell after
        days without a network. Records wait for their turn: their place in the chain is on disk.
        """
        for report in reports:
            if report.record is None and self._send(report.body):
                self._sent_at_s[report.report_id] = now_s

    def acknowledge(self, report_ids: tuple[str, ...], now_s: float) -> None:
        """Forget what the server has, and send more where more waits."""
        self._store.forget_reports(report_ids)
        for report_id in report_ids:
            self._sent_at_s.pop(report_id, None)
        if self._is_more and len(self._sent_at_s) < _BATCH // 2:
            self.send_due(now_s)
