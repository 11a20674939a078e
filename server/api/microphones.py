"""A ticket with which a program goes on air: what it then says to ``loa live`` is told there."""

from apiflask import APIBlueprint
from flask import request

from server.api.schemas.microphones import MicrophoneRequest, TicketAnswer
from server.domain.errors import SecondFactorNeededError
from server.http.context import actor, here, now, reading
from server.http.drilling import make_labels
from server.http.proving import proof, prove
from server.services import broadcasting, microphones
from server.services.assenting import Proof
from server.services.broadcast_requests import NewBroadcast
from server.services.keyring import FLASK, secret_text


def add_to(api: APIBlueprint) -> None:
    """Add this address."""

    @api.post("/microphone-tickets")
    @api.input(MicrophoneRequest, arg_name="wanted")
    @api.output(TicketAnswer, status_code=201)
    @api.doc(
        summary="A ticket for one broadcast that is spoken live; nothing sounds yet",
        responses=[403, 404, 422],
    )
    def hand_out(wanted: MicrophoneRequest) -> TicketAnswer:
        new = NewBroadcast(**wanted.model_dump(exclude={"code"}), asset_digest="")
        if wanted.mode == "drill":
            make_labels(wanted.unit_id)
        given = proof()
        try:
            return _handed_out(new, given)
        except SecondFactorNeededError:
            if not wanted.code:
                raise
        prove(wanted.code)
        return _handed_out(new, proof(is_fresh=True))


def _handed_out(new: NewBroadcast, given: Proof) -> TicketAnswer:
    settings, instant, person = here().settings, now(), actor()
    with reading() as db:
        broadcasting.check(db, new, now=instant, actor=person, proof=given)
    secret = secret_text(settings.secrets_dir, FLASK)
    return TicketAnswer(
        ticket=microphones.ticket(new, actor=person, secret=secret, now=instant, proof=given),
        expires_at=instant + microphones.TICKET_LIFE,
        microphone=settings.microphone_url(request.host),
        delay_s=settings.live_delay_s,
        max_length_s=microphones.MAX_LENGTH.total_seconds(),
    )
