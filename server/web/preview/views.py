"""A page to listen beforehand, and the stream it plays."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, demand
from server.domain.errors import PreviewRefusedError, UnknownThingError
from server.domain.recurrence import local_day
from server.domain.rehearsal import Rehearsal
from server.http.context import actor, now, reading
from server.services import monitoring, preview, units
from server.web.dashboard.presenters import place
from server.web.fields import parsed_instant
from server.web.preview.forms import PreviewForm
from server.web.preview.streaming import make_places, streamed

pages = Blueprint("preview", __name__)
pages.record(make_places)


@pages.get("/units/<unit_id>/preview")
def page(unit_id: str) -> ResponseReturnValue:
    """Choose a cluster and a time, and listen."""
    instant = now()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(actor(), Action.VIEW, tree.chain(unit_id))
        states = sorted(monitoring.overview(db, now=instant, units=tree, under=unit_id), key=place)
        form = PreviewForm.read(request.args, [one.cluster_id for one in states], instant)
        times, findings = form.parsed()
        rehearsal: Rehearsal | None = None
        if times is not None and form.cluster_id:
            demand(actor(), Action.VIEW, tree.chain_of_cluster(form.cluster_id))
            try:
                rehearsal = preview.rehearsal_of(
                    db,
                    form.cluster_id,
                    since=times[0],
                    until=times[1],
                    skip_silence=form.skip_silence,
                    now=instant,
                    units=tree,
                )
            except PreviewRefusedError as refused:
                findings = list(refused.findings)
    stream = None
    if rehearsal is not None and times is not None and rehearsal.cuts:
        stream = url_for(
            "preview.stream",
            cluster_id=form.cluster_id,
            since=times[0].isoformat(),
            until=times[1].isoformat(),
            skip="1" if form.skip_silence else None,
        )
    answer = render_template(
        "preview/page.html",
        unit=tree.unit(unit_id),
        tree=tree,
        clusters=states,
        form=form,
        findings=findings,
        rehearsal=rehearsal,
        stream=stream,
    )
    return answer, 422 if findings else 200


@pages.get("/clusters/<cluster_id>/preview.ogg")
def stream(cluster_id: str) -> ResponseReturnValue:
    """Play what the cluster sounds between two instants, or say that too many are listening."""
    instant = now()
    since = parsed_instant(request.args.get("since", ""))
    until = parsed_instant(request.args.get("until", ""))
    if since is None or until is None:
        raise UnknownThingError("instant", request.query_string.decode(errors="replace")[:100])
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(actor(), Action.VIEW, tree.chain_of_cluster(cluster_id))
        rehearsal = preview.rehearsal_of(
            db,
            cluster_id,
            since=since,
            until=until,
            skip_silence="skip" in request.args,
            now=instant,
            units=tree,
        )
    return streamed(rehearsal)
