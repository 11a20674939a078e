"""The record of an announcement: everything that is known of it."""

from apiflask import APIBlueprint

from server.api.schemas.broadcasts import BroadcastAnswer
from server.api.schemas.records import DeedAnswer, RecordAnswer, SaidAnswer, WitnessAnswer
from server.api.told import alert_answer
from server.http.context import actor, now, reading
from server.services import dossiers
from server.services.dossiers import Dossier


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/broadcasts/<broadcast_id>/record")
    @api.output(RecordAnswer)
    @api.doc(
        summary="What was said, on whose authority, who was told, and what each cluster sounded",
        responses=[403, 404],
    )
    def show_record(broadcast_id: str) -> RecordAnswer:
        with reading() as db:
            return _answer(dossiers.dossier(db, broadcast_id, now=now(), actor=actor()))


def _answer(found: Dossier) -> RecordAnswer:
    first, last = found.span or (None, None)
    return RecordAnswer(
        broadcast=BroadcastAnswer.model_validate(found.broadcast),
        unit_name=found.unit_name,
        places=list(found.places),
        but=list(found.but),
        order_digest=found.order_digest,
        is_complete=found.is_complete,
        sounded=found.sounded,
        first_sound_at=first,
        last_sound_at=last,
        deeds=[
            DeedAnswer(act=one.act, at=one.at, login=one.login, name=found.people[one.login])
            for one in found.deeds
        ],
        said=[SaidAnswer.model_validate(one) for one in found.said],
        told=[alert_answer(one) for one in found.told],
        clusters=[WitnessAnswer.model_validate(one) for one in found.witnesses],
    )
