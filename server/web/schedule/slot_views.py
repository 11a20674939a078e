"""The slots of a unit: list, add, change, withdraw."""

from collections.abc import Sequence
from datetime import datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from server.domain import languages
from server.domain.authority import Action, demand, may
from server.domain.clashes import SlotClashError
from server.domain.errors import Finding, SlotRefusedError, StaleError, UnknownThingError
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.http.offering import ways_out
from server.services import (
    catalogue,
    grouping,
    monitoring,
    overriding,
    plan_states,
    scheduling,
    units,
)
from server.store.queries import lists
from server.web import rule_words
from server.web.formats import weekday_marks
from server.web.plans import late
from server.web.schedule import offers, recurrence_fields, simulation
from server.web.schedule.forms import SlotForm, overnight_s
from server.web.schedule.views import pages
from server.web.targets import acting_units, communes

MOST_FORESEEN = 5


@pages.get("/units/<unit_id>/slots")
def slots(unit_id: str) -> ResponseReturnValue:
    """List a unit's slots."""
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        demand(person, Action.VIEW, tree.chain(unit_id))
        rows = lists.slots_of(db, unit_id)
        lain_over = overriding.lain_over(db, rows, units=tree, now=now())
    return render_template(
        "schedule/slots.html",
        unit=tree.unit(unit_id),
        rows=rows,
        lain_over=lain_over,
        tree=tree,
        coming_words=rule_words.coming_words,
        late=late.warnings_by_slot(rows, now()),
        may_add=may(person, Action.SCHEDULE, tree.chain(unit_id)),
    )


@pages.get("/units/<unit_id>/slots/new")
def new_slot(unit_id: str) -> ResponseReturnValue:
    """Show the empty form."""
    return _slot_page(SlotForm.fresh(unit_id, local_day(now())), ()), 200


@pages.get("/units/<unit_id>/slots/coming")
def coming(unit_id: str) -> ResponseReturnValue:
    """Show when the slot in the form would come next, and how its files fit; nothing is saved."""
    new, findings = SlotForm.sent(unit_id, request.args).parsed()
    instant, slack_s, sharing = now(), None, None
    starts: list[datetime] = []
    warnings: list[str] = []
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(actor(), Action.SCHEDULE, tree.chain(unit_id))
        if new is not None:
            slack_s = scheduling.slack_s(db, new)
            sharing = scheduling.sharing_foreseen(db, new, now=instant, units=tree)
            try:
                starts = scheduling.foreseen(new, now=instant, most=MOST_FORESEEN)
            except SlotRefusedError as refused:
                findings = refused.findings
            warnings = late.warnings(db, new, starts, now=instant, tree=tree)
    return render_template(
        "schedule/coming.html",
        starts=starts,
        findings=findings,
        slack_s=slack_s,
        sharing=sharing,
        overnight_s=overnight_s(new),
        warnings=warnings,
    )


@pages.post("/units/<unit_id>/slots/simulate")
def simulate_slot(unit_id: str) -> ResponseReturnValue:
    """Show what saving the form would change, alone or under the form; nothing is saved."""
    form, slot_id = SlotForm.sent(unit_id, request.form), request.args.get("slot_id", "")
    shown = simulation.fragment(form, slot_id)
    return (
        shown if "part" in request.args else _slot_page(form, (), slot_id, simulated=shown)
    ), 200


@pages.post("/units/<unit_id>/slots/new")
def add_slot(unit_id: str) -> ResponseReturnValue:
    """Add the slot, or show the form again with what is wrong."""
    form = offers.taken(SlotForm.sent(unit_id, request.form), request.form.get("offer", ""))
    new, findings = form.parsed()
    if new is None:
        return _slot_page(form, findings), 422
    try:
        with ways_out(new), writing() as db:
            row = scheduling.add_slot(
                db,
                new,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            version = plan_states.newest_version(db, row.unit_id)
    except SlotRefusedError as refused:
        return _slot_page(form, refused.findings, ways=_ways(form, new, refused)), _status(refused)
    watched = late.after_edit(row, version, plan_states.at_stake(row, now()))
    return redirect(watched or _where_it_comes(new), 303)


@pages.get("/slots/<slot_id>/edit")
def edit_slot(slot_id: str) -> ResponseReturnValue:
    """Show a slot as it is, to be changed."""
    with reading() as db:
        row = lists.slot(db, slot_id)
        if row is None or row.withdrawn_at is not None:
            raise UnknownThingError("slot", slot_id)
        form = SlotForm.of(scheduling.to_be_changed(db, row), row.version)
    return _slot_page(form, (), slot_id), 200


@pages.post("/slots/<slot_id>/edit")
def change_slot(slot_id: str) -> ResponseReturnValue:
    """Change the slot, or show the form again with what is wrong."""
    with reading() as db:
        row = lists.slot(db, slot_id)
        if row is None:
            raise UnknownThingError("slot", slot_id)
    before = plan_states.at_stake(row, now())
    form = offers.taken(SlotForm.sent(row.unit_id, request.form), request.form.get("offer", ""))
    new, findings = form.parsed()
    if new is None:
        return _slot_page(form, findings, slot_id), 422
    try:
        with ways_out(new, slot_id), writing() as db:
            row = scheduling.update_slot(
                db,
                slot_id,
                new,
                version=int(form.version) if form.version.isdecimal() else 0,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            plan_version = plan_states.newest_version(db, row.unit_id)
    except SlotRefusedError as refused:
        ways = _ways(form, new, refused)
        return _slot_page(form, refused.findings, slot_id, ways=ways), _status(refused)
    except StaleError:
        return _slot_page(form, [Finding("changed-meanwhile")], slot_id), 409
    watched = late.after_edit(row, plan_version, before, plan_states.at_stake(row, now()))
    return redirect(watched or _where_it_comes(new), 303)


@pages.post("/slots/<slot_id>/withdraw")
def withdraw_slot(slot_id: str) -> ResponseReturnValue:
    """Withdraw a slot."""
    with writing() as db:
        row = scheduling.withdraw_slot(
            db,
            slot_id,
            now=now(),
            actor=actor(),
            keyring=here().keyring,
            plan_days=here().settings.plan_days,
        )
        version = plan_states.newest_version(db, row.unit_id)
    watched = late.after_edit(row, version, plan_states.at_stake(row, now()))
    return redirect(watched or url_for("schedule.slots", unit_id=row.unit_id), 303)


def _status(refused: SlotRefusedError) -> int:
    return 409 if any(finding.code == "overlap" for finding in refused.findings) else 422


def _ways(
    form: SlotForm, new: scheduling.NewSlot, refused: SlotRefusedError
) -> list[offers.OfferButton]:
    found = refused.offers if isinstance(refused, SlotClashError) else ()
    return offers.buttons(form, new, found)


def _where_it_comes(new: scheduling.NewSlot) -> str:
    first = scheduling.foreseen(new, now=now(), most=1)[0]
    day = f"{local_day(first):%Y-%m-%d}"
    return url_for("schedule.timeline", unit_id=new.unit_id, day=day)


def _slot_page(
    form: SlotForm,
    findings: Sequence[Finding],
    slot_id: str = "",
    ways: Sequence[offers.OfferButton] = (),
    simulated: str = "",
) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(form.unit_id)
        demand(person, Action.SCHEDULE, chain)
        states = monitoring.overview(db, now=instant, units=tree, under=form.unit_id)
        usable = catalogue.usable_assets(db, chain=chain)
        files = {row.digest: row for row in (*usable, *catalogue.assets(db, form.assets))}
        groups = grouping.groups(db)
    below = tree.clusters_under(form.unit_id)
    names = {state.cluster_id: state.village or state.name for state in states}
    return render_template(
        "schedule/slot.html",
        form=form,
        slot_id=slot_id,
        findings=findings,
        ways=ways,
        unit=tree.unit(form.unit_id),
        acting=acting_units(person, Action.SCHEDULE, tree),
        communes=communes(states, tree, form.unit_id),
        groups=[group for group in groups if below.issuperset(group.clusters) and group.clusters],
        spoken=_spoken(form, tree.languages_at(below)),
        excluded=[(cluster, names.get(cluster, cluster)) for cluster in form.exclude],
        assets=[asset for asset in usable if asset.purpose not in catalogue.PIECES],
        chosen=[files[digest] for digest in form.assets if digest in files],
        marks=weekday_marks(),
        fields=recurrence_fields,
        names=rule_words,
        simulated=Markup(simulated),  # noqa: S704 - made by a template, where all is escaped
    )


def _spoken(form: SlotForm, there: frozenset[str]) -> list[tuple[str, str]]:
    """List the languages to choose from: those spoken there, and those chosen already."""
    offered = there | set(form.languages)
    return [(tag, name) for tag, name in languages.NAMES.items() if tag in offered]
