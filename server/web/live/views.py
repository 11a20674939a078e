"""The urgent page, its confirmation, and the broadcasts that came of it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy.orm import Session

from protocol.content import length_s
from protocol.messages import Mode
from server.domain.assent import Missing, may_ask_factor
from server.domain.authority import Action, demand, may, seen_units
from server.domain.errors import BroadcastRefusedError, Finding, NotAllowedError
from server.domain.filling import LONGEST_VALUE
from server.domain.followups import Relation
from server.domain.languages import NAMES
from server.domain.recurrence import local_day
from server.domain.rehearsal import of_content
from server.domain.units import Tree
from server.http.context import actor, here, now, reading, writing
from server.http.drilling import make_labels
from server.http.person import by_script
from server.http.proving import proof
from server.services import (
    assenting,
    broadcast_claims,
    catalogue,
    factors,
    following,
    grouping,
    monitoring,
    raising,
    reaching,
    speaking,
    units,
    waiting,
    warning_sounds,
)
from server.store.models import AssetRow
from server.store.queries import lists
from server.web.live.beginnings import begun
from server.web.live.forms import LOUDNESS, MISSING, MOST_REPEATS, SEVERITIES, UrgentForm
from server.web.live.presenters import loudness_words, progress
from server.web.live.waiting import in_line, waiting_facts
from server.web.live.ways import WAYS
from server.web.preview.streaming import streamed
from server.web.targets import acting_units, communes

MOST_LISTED = 100
VAIN_SHOWN = timedelta(days=1)
"""How long the list tells of what waited for a second person in vain."""

pages = Blueprint("live", __name__)


@pages.get("/urgent")
def urgent() -> ResponseReturnValue:
    """Show the empty form, for the unit that was asked for or the person's own."""
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        acting = acting_units(person, Action.ANNOUNCE, tree)
        if not acting:
            raise NotAllowedError(Action.ANNOUNCE.value, "*")
    blank = UrgentForm(unit_id=request.args.get("unit") or acting[0].unit_id)
    form = begun(blank, request.args, person=person)
    unit_id = form.unit_id
    chain = tree.chain(unit_id)
    with reading() as db:
        demand(person, Action.ANNOUNCE, chain)
        states = monitoring.overview(db, now=instant, units=tree, under=unit_id)
        assets = catalogue.usable_assets(db, chain=chain)
        groups = grouping.usable(grouping.groups(db), unit_id, tree)
        lines = assenting.rule_of(db, tree, unit_id).lines
        factor = factors.standing(db, current_user.id)
        prepared = warning_sounds.shown(db, unit_id, engine=here().engines[0].name, now=instant)
    asks_factor = may_ask_factor(
        lines,
        level=tree.unit(unit_id).level_rank,
        clusters=len(tree.clusters_under(unit_id)),
    )
    factor_missing = asks_factor and not factor.has_factor
    warnings = [asset for asset in assets if asset.purpose == catalogue.WARNING]
    settings = here().settings
    return render_template(
        "live/urgent.html",
        form=form,
        missing=MISSING,
        unit=tree.unit(unit_id),
        acting=acting,
        communes=communes(states, tree, unit_id),
        groups=groups,
        ways=WAYS,
        prepared_warnings=prepared,
        longest_value=LONGEST_VALUE,
        language_names=NAMES,
        most_written=speaking.MOST_WRITTEN,
        most_said=speaking.MOST_SAID,
        first_way=_first_way(form, has_clips=bool(warnings)),
        # The product's own words for it are one press away.
        first_warning=form.relation if form.relation == Relation.ALL_CLEAR else "",
        warnings=warnings,
        repeats=range(1, MOST_REPEATS + 1),
        loudness=LOUDNESS,
        severities=SEVERITIES,
        decision_needed=bool(tree.children(unit_id)),
        stale_min=settings.unsent_stale_min,
        factor=factor,
        factor_missing=factor_missing,
        map_tiles=settings.map_tiles,
    )


@pages.post("/urgent/confirm")
def confirm() -> ResponseReturnValue:
    """Say whom it would reach and how long it lasts, before anything is sent."""
    form = UrgentForm.sent(request.form)
    findings = form.missing()
    if findings:
        raise BroadcastRefusedError(findings)
    instant, new = now(), form.new
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(form.unit_id)
        demand(actor(), Action.ANNOUNCE, chain)
        reach = reaching.reach(
            db,
            unit_id=new.unit_id,
            units=new.units,
            clusters=new.clusters,
            groups=new.groups,
            now=instant,
        )
        states = monitoring.overview(db, now=instant, units=tree, under=form.unit_id)
        asset = lists.asset(db, form.asset_digest) if form.asset_digest else None
        whole_s = (
            length_s(broadcast_claims.content_of(db, new, now=instant))
            if asset
            else _estimate_s(form, catalogue.default_opening(db, chain=chain))
        )
        lacking = _lacking(db, tree, form, reach.cluster_ids, instant)
    if form.asset_digest and asset is None:
        raise BroadcastRefusedError([Finding("unknown-asset")])
    needs_decision = form.bulletin_class == "emergency" and tree.children(form.unit_id)
    if needs_decision and not form.decision_number:
        raise BroadcastRefusedError([Finding("decision-number-needed")])
    return render_template(
        "live/summary.html",
        form=form,
        unit=tree.unit(form.unit_id),
        reach=reach,
        asset=asset,
        length_s=whole_s,
        lacking=lacking,
        loudness=loudness_words(form.gain_db),
        meant=[state for state in states if state.cluster_id in reach.cluster_ids],
    )


@pages.get("/urgent/heard.ogg")
def heard() -> ResponseReturnValue:
    """Play it as it will sound: once, behind the opening chime."""
    form = UrgentForm.sent(request.args)
    once = replace(form.new, repeat=1)
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        demand(actor(), Action.ANNOUNCE, tree.chain(form.unit_id))
        content = broadcast_claims.content_of(db, once, now=now())
    return streamed(of_content(content, gain_db=once.gain_db))


@pages.post("/urgent")
def send() -> ResponseReturnValue:
    """Send it; the same form sent twice is one announcement."""
    form = UrgentForm.sent(request.form)
    if form.mode == Mode.DRILL:
        make_labels(form.unit_id)
    given = proof(prefers_other=request.form.get("prefers_other") == "yes")
    with writing() as db:
        row = waiting.order(
            db,
            form.new,
            now=now(),
            actor=actor(),
            keyring=here().keyring,
            site=here().settings.address,
            lead=timedelta(seconds=here().settings.lead_s),
            proof=given,
        )
    address = url_for("live.broadcast", broadcast_id=row.broadcast_id)
    if by_script():
        return jsonify(broadcast_id=row.broadcast_id, address=address), 201
    return redirect(address, 303)


@pages.get("/urgent/sent/<request_id>")
def sent(request_id: str) -> ResponseReturnValue:
    """Tell a phone that never got its answer where its announcement is; null: it is not here."""
    with reading() as db:
        broadcast_id = waiting.taken(db, request_id, actor=actor())
    address = broadcast_id and url_for("live.broadcast", broadcast_id=broadcast_id)
    answer = jsonify(address=address)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/broadcasts")
def broadcasts() -> ResponseReturnValue:
    """List announcements."""
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        rows = lists.recent_broadcasts(db, units=seen_units(person, tree), limit=MOST_LISTED)
        ids = [row.broadcast_id for row in rows]
        counts = lists.delivery_counts(db, ids)
        sounded = lists.sounded_counts(db, ids)
        instant = now()
        vain = [
            row
            for row in waiting.recent(db, since=instant - VAIN_SHOWN, now=instant)
            if waiting.may_see(row, tree, person)
        ]
        people = lists.full_names(
            db,
            [name for row in rows for name in (row.created_by, row.confirmed_by) if name]
            + [name for row in vain for name in (row.asked_by, row.decided_by) if name],
        )
    return render_template(
        "live/broadcasts.html",
        rows=rows,
        vain=[in_line(row, instant) for row in vain],
        counts=counts,
        sounded=sounded,
        people=people,
        tree=tree,
        home=next(iter(acting_units(person, Action.VIEW, tree)), None),
    )


@pages.get("/broadcasts/<broadcast_id>")
def broadcast(broadcast_id: str) -> ResponseReturnValue:
    """Watch one announcement, or what waits to become one."""
    if (facts := waiting_facts(broadcast_id)) is not None:
        return render_template("live/waiting.html", **facts, findings=())
    return render_template("live/broadcast.html", **_broadcast(broadcast_id))


@pages.get("/broadcasts/<broadcast_id>/state")
def broadcast_state(broadcast_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("live/state.html", **_broadcast(broadcast_id))


@pages.post("/broadcasts/<broadcast_id>/stop")
def stop(broadcast_id: str) -> ResponseReturnValue:
    """Stop it, for good, wherever it stands."""
    with writing() as db:
        waiting.stop(db, broadcast_id, now=now(), actor=actor(), keyring=here().keyring)
    return redirect(url_for("live.broadcast", broadcast_id=broadcast_id), 303)


def _estimate_s(form: UrgentForm, opening: AssetRow | None) -> float:
    """Estimate how long it lasts while its sound is still on the phone."""
    turns_s = form.repeat * form.kept_s + (form.repeat - 1) * form.new.gap_s
    return turns_s + (opening.duration_s if opening else 0.0)


def _first_way(form: UrgentForm, *, has_clips: bool) -> str:
    """Tell which tab is open at first."""
    if form.relation == Relation.ALL_CLEAR:
        return "warning"
    return "prepared" if has_clips else "record"


def _lacking(
    db: Session, tree: Tree, form: UrgentForm, meant: Collection[str], instant: datetime
) -> Missing | None:
    """Tell beforehand whether somebody has to confirm."""
    if not meant:
        return None
    found = assenting.asked(
        db, tree, meant, bulletin_class=form.bulletin_class, now=instant, actor=actor()
    )
    return assenting.lacks(found, proof())


def _broadcast(broadcast_id: str) -> dict[str, object]:
    instant, person = now(), actor()
    with reading() as db:
        status = monitoring.status(db, broadcast_id, now=instant)
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(status.broadcast.unit_id)
        demand(person, Action.VIEW, chain)
        row = status.broadcast
        told = raising.told_of(db, broadcast_id)
        chain_of_it = following.chain_of(db, row)
        is_over = following.is_over(db, row, instant)
        named = (row.created_by, row.stopped_by, row.confirmed_by)
        people = lists.full_names(db, [name for name in named if name])
    return {
        "broadcast": row,
        "people": people,
        "progress": progress(status),
        "told": told,
        "unit": tree.unit(status.broadcast.unit_id),
        "chain": chain_of_it,
        "may_follow": may(person, Action.ANNOUNCE, chain) and is_over,
        "may_stop": may(person, Action.STOP, chain)
        and status.broadcast.stopped_at is None
        and status.broadcast.end > instant,
    }
