"""What waits for a second person: to be looked at, heard, confirmed, refused or withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, may
from server.domain.errors import (
    Finding,
    NotAllowedError,
    TooOftenError,
    UnknownThingError,
    WaitingRefusedError,
)
from server.domain.recurrence import local_day
from server.domain.rehearsal import of_content
from server.domain.units import Tree
from server.domain.waiting import State, state_at
from server.http.context import actor, here, now, reading, writing
from server.http.proving import second_person
from server.services import (
    assenting,
    broadcast_claims,
    raising,
    reaching,
    units,
    waiting,
)
from server.services.broadcast_requests import NewBroadcast, meant_by
from server.services.reaching import Reach
from server.store.models import WaitingRow
from server.store.queries import lists
from server.web.preview.streaming import streamed

pages = Blueprint("waiting", __name__)


@dataclass(frozen=True, slots=True)
class InLine:
    """One that waits, or has waited in vain, in a list."""

    row: WaitingRow
    state: State
    wanted: NewBroadcast

    @property
    def why(self) -> Finding:
        """Why it is not to be confirmed any more."""
        return Finding(f"waiting-{self.state.value}")


def in_line(row: WaitingRow, instant: datetime) -> InLine:
    """Sum one up."""
    return InLine(row, state_at(row.state, row.ends_at, instant), waiting.wanted_of(row))


@pages.get("/broadcasts/waiting")
def banner() -> ResponseReturnValue:
    """Show the part of every page that tells what waits for a second person."""
    return render_template("parts/waiting_banner.html")


@pages.get("/broadcasts/<broadcast_id>/waiting")
def state(broadcast_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes; once it is announced, another page takes over."""
    facts = waiting_facts(broadcast_id)
    if facts is None:
        answer = make_response("")
        answer.headers["HX-Refresh"] = "true"
        return answer
    return render_template("live/waiting_state.html", **facts)


@pages.get("/broadcasts/<broadcast_id>/heard.ogg")
def heard(broadcast_id: str) -> ResponseReturnValue:
    """Play it as it will sound, once."""
    with reading() as db:
        row = waiting.find(db, broadcast_id)
        tree = units.tree(db, today=local_day(now()))
        if row is None or not waiting.may_see(row, tree, actor()):
            raise UnknownThingError("broadcast", broadcast_id)
        once = replace(waiting.wanted_of(row), repeat=1)
        content = broadcast_claims.content_of(db, once, now=now())
    return streamed(of_content(content, gain_db=once.gain_db))


@pages.post("/broadcasts/<broadcast_id>/confirm")
def confirm(broadcast_id: str) -> ResponseReturnValue:
    """Be the second person."""
    try:
        _confirm(broadcast_id, actor())
    except WaitingRefusedError as refused:
        return _again(broadcast_id, refused.findings)
    return _on(broadcast_id)


@pages.post("/broadcasts/<broadcast_id>/confirm-here")
def confirm_here(broadcast_id: str) -> ResponseReturnValue:
    """Be the second person on the phone of the first, by user name and password."""
    try:
        second = second_person(request.form.get("username", ""), request.form.get("password", ""))
        _confirm(broadcast_id, second)
    except (TooOftenError, WaitingRefusedError) as refused:
        return _again(broadcast_id, refused.findings)
    except NotAllowedError:
        return _again(broadcast_id, [Finding("other-may-not")])
    return _on(broadcast_id)


@pages.post("/broadcasts/<broadcast_id>/refuse")
def refuse(broadcast_id: str) -> ResponseReturnValue:
    """Refuse it, with a reason."""
    try:
        with writing() as db:
            reason = request.form.get("reason", "")
            waiting.refuse(db, broadcast_id, reason, now=now(), actor=actor())
    except WaitingRefusedError as refused:
        return _again(broadcast_id, refused.findings)
    return _on(broadcast_id)


def waiting_facts(broadcast_id: str) -> dict[str, object] | None:
    """Gather what the page of a waiting announcement shows; None: it waits no more, or never did.

    Raises:
        UnknownThingError: The person may not see it.
    """
    instant, person = now(), actor()
    with reading() as db:
        row = waiting.find(db, broadcast_id)
        if row is None or row.state == State.CONFIRMED:
            return None
        tree = units.tree(db, today=local_day(instant))
        if not waiting.may_see(row, tree, person):
            raise UnknownThingError("broadcast", broadcast_id)
        line = in_line(row, instant)
        # What it was meant for may have ended since, by a reform of the tree.
        there = tree if {row.unit_id, row.cover_id} <= tree.units.keys() else _then(db, row)
        is_open = line.state is State.WAITING and there is tree
        reach = _reach(db, line, tree, instant) if is_open else None
        others = assenting.others_who_may(
            db,
            assenting.action_of(line.wanted.bulletin_class),
            there.chain(row.cover_id),
            actor=Actor(row.asked_by, ()),
        )
        names = (row.asked_by, row.decided_by or row.asked_by, *others)
        people = lists.full_names(db, list(names))
        told = raising.told_of(db, broadcast_id)
    return {
        "line": line,
        "people": people,
        "others": others,
        "told": told,
        "unit": there.unit(row.unit_id),
        "cover": there.unit(row.cover_id),
        "reach": reach,
        "is_own": row.asked_by == person.name,
        "may_confirm": is_open and waiting.may_confirm(row, tree, person),
        "may_stop": is_open
        and (row.asked_by == person.name or may(person, Action.STOP, tree.chain(row.unit_id))),
    }


def _then(db: Session, row: WaitingRow) -> Tree:
    return units.tree(db, today=local_day(row.asked_at))


def _reach(db: Session, line: InLine, tree: Tree, instant: datetime) -> Reach:
    meant = meant_by(tree, line.wanted)
    unit_id = line.row.unit_id
    return reaching.reach(db, unit_id=unit_id, units=(), clusters=meant, now=instant)


def _confirm(broadcast_id: str, second: Actor) -> None:
    with writing() as db:
        waiting.confirm(
            db,
            broadcast_id,
            now=now(),
            actor=second,
            keyring=here().keyring,
            lead=timedelta(seconds=here().settings.lead_s),
        )


def _again(broadcast_id: str, findings: Sequence[Finding]) -> ResponseReturnValue:
    facts = waiting_facts(broadcast_id)
    if facts is None:
        return _on(broadcast_id)
    return render_template("live/waiting.html", **facts, findings=findings), 422


def _on(broadcast_id: str) -> Response:
    """Go on to the announcement, or to the list where somebody may not see the one above them."""
    with reading() as db:
        row = waiting.find(db, broadcast_id)
        tree = units.tree(db, today=local_day(now()))
        unit_id = row.unit_id if row else ""
        sees = unit_id in tree.units and may(actor(), Action.VIEW, tree.chain(unit_id))
    address = url_for("live.broadcast", broadcast_id=broadcast_id)
    return redirect(address if sees else url_for("live.broadcasts"), 303)  # type: ignore[return-value]  # as Flask's own
