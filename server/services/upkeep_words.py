"""What a node says of an order to it, in any order and more than once."""

from datetime import datetime

from sqlalchemy.orm import Session

from protocol.errors import Refusal
from protocol.messages import AsRun, ClaimReport, Done, Preempted, Received, Refused, Started
from server.domain.upkeep import Standing, end_of, is_upkeep_id, outweighs
from server.services import events
from server.store.models import UpkeepRow


def name_in(word: ClaimReport) -> str:
    """Name the order that a report is about; empty: it is about none."""
    # A refusal names the token, and that of an order bears the order's own name.
    name = word.message_id if isinstance(word, Refused) else word.claim_id
    return name if is_upkeep_id(name) else ""


def take(db: Session, row: UpkeepRow, node_id: str, word: ClaimReport, *, now: datetime) -> None:
    """Note what was said, if it was the node that was told."""
    if row.node_id != node_id:
        return
    match word:
        case Received(at=at):
            row.received_at = row.received_at or at
        case Started(at=at):
            row.started_at = row.started_at or at
        case Refused(reason=reason):
            # That it came before is no answer: the answer to the first copy is on its way.
            if reason is not Refusal.REPLAYED:
                _end(row, Standing.REFUSED, word, f"refused:{reason.value}")
        case Done(detail=detail):
            _end(row, Standing.DONE, word, detail)
        case AsRun(outcome=outcome, reason=reason):
            _end(row, end_of(outcome), word, reason)
        case Preempted():
            pass
    events.emit(db, kind="upkeep", ref=row.cluster_id, now=now)


def _end(row: UpkeepRow, end: Standing, word: ClaimReport, reason: str) -> None:
    if outweighs(end, row.end):
        row.end, row.reason, row.ended_at = end.value, reason, word.at
