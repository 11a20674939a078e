"""Hold the as-run records against the orders: exactly one each, with the right outcome."""

from collections import Counter
from collections.abc import Iterator, Mapping

from server.cli.demo.expectation import expected_outcome
from server.cli.demo.report import Report


def record_faults(report: Report, lengths_s: Mapping[str, float]) -> Iterator[str]:
    """Name every record that is missing, double, of no order, or ends otherwise than it must."""
    yield from _count_faults(report)
    orders = {order.id: order for order in report.orders}
    for row in report.as_run:
        order = orders.get(row.order)
        if order is None or row.cluster not in order.targets:
            continue
        should = expected_outcome(order, row.cluster, report.orders, lengths_s[order.id])
        if row.outcome != should:
            yield (
                f"{row.order} at {row.cluster} is recorded as {row.outcome} ({row.reason}) "
                f"and not as {should}"
            )


def _count_faults(report: Report) -> Iterator[str]:
    counts = Counter((row.order, row.cluster) for row in report.as_run)
    wanted = {(order.id, cluster) for order in report.orders for cluster in order.targets}
    for order_id, cluster in sorted(wanted | counts.keys()):
        due = int((order_id, cluster) in wanted)
        if counts[order_id, cluster] != due:
            found = counts[order_id, cluster]
            yield f"{order_id} at {cluster} has {found} as-run records instead of {due}"
