"""One cluster for whoever looks after it: test sounds, lamps, volume, restart, and the answers."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, may
from server.domain.errors import Finding, TooOftenError, UpkeepRefusedError
from server.domain.upkeep import ENDED, MOST_DELAY_MS, Deed
from server.http.context import actor, now, reading
from server.http.upkeep import give
from server.services import monitoring, upkeep
from server.services.upkeep import Asked
from server.store.queries import lists
from server.web.dashboard.presenters import grouped
from server.web.upkeep.presenters import VOLUMES_DB, Talk, lines

pages = Blueprint("upkeep", __name__)


@pages.get("/clusters/<cluster_id>/upkeep")
def cluster(cluster_id: str) -> ResponseReturnValue:
    """Show what can be tried and set, and what became of it."""
    return _page(cluster_id, ())


@pages.get("/clusters/<cluster_id>/upkeep/state")
def state(cluster_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("upkeep/state.html", **_state(cluster_id))


@pages.post("/clusters/<cluster_id>/upkeep")
def order(cluster_id: str) -> ResponseReturnValue:
    """Give an order."""
    form = request.form
    asked = Asked(
        cluster_id,
        form.get("deed", ""),
        cuts=form.get("cuts") == "yes",
        at_once=form.get("at_once") == "yes",
        volume_db=form.get("volume_db", type=float),
        delay_ms=form.get("delay_ms", type=int),
        talk=form.get("talk"),
        away_min=form.get("away_min", type=int),
        talk_s=form.get("talk_s", type=int),
    )
    try:
        give(asked)
    except TooOftenError as refused:
        return _page(cluster_id, refused.findings), 429
    except UpkeepRefusedError as refused:
        return _page(cluster_id, refused.findings), 422
    return redirect(url_for("upkeep.cluster", cluster_id=cluster_id, _anchor="upkeep"), 303)


def _page(cluster_id: str, findings: Sequence[Finding]) -> str:
    return render_template("upkeep/cluster.html", **_state(cluster_id), findings=findings)


def _state(cluster_id: str) -> dict[str, object]:
    instant, person = now(), actor()
    with reading() as db:
        row, node, units = upkeep.place(db, cluster_id, now=instant, actor=person)
        (known,) = monitoring.overview(db, now=instant, units=units, only=[cluster_id])
        orders = upkeep.recent(db, cluster_id, now=instant)
        people = lists.full_names(db, [one.row.created_by for one in orders])
        volume_db, delay_ms = row.volume_ceiling_db, row.delay_ms
        talk = Talk.of(row)
    is_open = any(one.standing not in ENDED and one.row.expires_at > instant for one in orders)
    return {
        "talk": talk,
        "may_let_speak": may(person, Action.ANNOUNCE_EMERGENCY, units.chain_of_cluster(cluster_id)),
        "card": grouped([known])[0].cards[0],
        "unit": units.unit(known.unit_id),
        "has_node": node is not None,
        "volume_db": volume_db,
        "delay_ms": delay_ms,
        "most_delay_ms": MOST_DELAY_MS,
        "volumes": sorted({*VOLUMES_DB, volume_db}, reverse=True),
        "lines": lines(orders, people),
        "is_open": is_open,
        "deeds": Deed,
        "instant": instant,
    }
