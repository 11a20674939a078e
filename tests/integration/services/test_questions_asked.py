"""What is asked every second is asked of the database as a whole, not of each cluster."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from protocol.messages import AsRun, Outcome, Presence, PresenceState, Started
from server.services import arrears, as_run, broadcast_deliveries, planning, reports, units
from server.services.known_words import known
from server.store.inserts import write_changes
from server.store.models import BroadcastRow
from tests.factories.claims import NOON
from tests.factories.questions import counted
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, a_cluster

S = timedelta(seconds=1)
DAY_AFTER = NOON + timedelta(days=1)


def busy(province, clusters: int) -> None:
    """Give the first commune more clusters, a node at each, a slot, and an announcement."""
    for number in range(3, 3 + clusters):
        new = a_cluster(f"xa-1-c{number}", "xa-1")
        province.run(units.create_cluster, new=new, now=NOON, actor=OPERATOR)
        node = f"n-{number}"
        province.commission(new.cluster_id, node)
        province.hear(node, Presence(node=node, state=PresenceState.HERE))
    province.add_slot()
    province.announce()


def questions(province, service, now, **facts: object) -> int:
    with counted(province) as sent:
        province.run(service, now=now, **facts)
    return len(sent)


@pytest.mark.parametrize(
    ("service", "now"),
    [
        (broadcast_deliveries.resend_due, NOON + 2 * S),
        (arrears.bring_up_to_date, NOON + 6 * S),
        (as_run.close_ended, DAY_AFTER),
        (as_run.conclude_missed, DAY_AFTER),
    ],
)
def test_the_number_of_questions_does_not_grow_with_the_clusters(on_sqlite, service, now):
    busy(on_sqlite, 12)
    # Each of these does for a dozen nodes what it was made for, and still asks only a handful.
    assert questions(on_sqlite, service, now) <= 14


def test_what_many_nodes_say_at_once_is_taken_in_with_the_same_questions(on_sqlite):
    busy(on_sqlite, 12)
    claim = on_sqlite.rows(BroadcastRow)[0].broadcast_id
    said = [
        (f"n-{number}", word)
        for number in range(3, 15)
        for word in (
            Started(report_id="p-1", claim_id=claim, at=NOON),
            AsRun(
                report_id="p-2",
                claim_id=claim,
                cluster=f"xa-1-c{number}",
                at=NOON,
                outcome=Outcome.PLAYED,
                segments=(),
            ),
        )
    ]

    def take_in_together(db: Session, now: datetime) -> None:
        knowing = known(db, said, now=now)
        for node, word in said:
            reports.take_in(db, node, word, now=now, knowing=knowing)
        write_changes(db)

    # Rows that change alike are counted as one each.
    assert questions(on_sqlite, take_in_together, NOON) <= 20
    assert {row.outcome for row in on_sqlite.as_run(claim).values()} == {"played"}


def test_what_is_due_is_found_with_the_same_questions_however_many_units_there_are(on_sqlite):
    busy(on_sqlite, 1)
    tree = on_sqlite.run(units.tree, today=TODAY)
    assert questions(on_sqlite, planning.due_units, NOON, units=tree) <= 10


def test_when_nothing_has_happened_next_to_nothing_is_asked(on_sqlite):
    for service in (broadcast_deliveries.resend_due, as_run.close_ended):
        assert questions(on_sqlite, service, NOON) == 1
