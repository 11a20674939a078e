"""The page with the microphone: who is reached, and the ticket with which one goes on air."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from protocol.messages import Mode
from server.domain.errors import (
    FactorRefusedError,
    Finding,
    NotAllowedError,
    SecondFactorNeededError,
    SecondPersonNeededError,
    TooOftenError,
    WaitingRefusedError,
)
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading
from server.http.drilling import make_labels
from server.http.languages import gettext
from server.http.proving import proof, prove, remember, second_person
from server.http.wording import FINDINGS, N_
from server.services import (
    assenting,
    broadcasting,
    microphones,
    reaching,
    units,
)
from server.services.assenting import Proof
from server.services.broadcast_requests import NewBroadcast, meant_by
from server.services.keyring import FLASK, secret_text
from server.web.live.forms import UrgentForm
from server.web.security import content_policy
from server.web.static_files import static_file

pages = Blueprint("microphone", __name__)

_ENDS: Mapping[str, str] = MappingProxyType(
    {
        "spoken": N_("You are off air. The recording is being kept."),
        "stopped": N_("It was stopped everywhere. The recording is being kept."),
        "too-long": N_("The longest time is over: you are off air. The recording is being kept."),
        "broken-off": N_("The connection broke: the loudspeakers have closed by themselves."),
        "server-ended": N_("The server was stopped: the loudspeakers have closed by themselves."),
        "broker-away": N_("The link to the loudspeakers is down. Try again in a moment."),
        "not-allowed": N_("Your account may not do this here."),
        "no-microphone": N_("The microphone could not be connected. Go back and try again."),
    }
)
_SENDER = "js/speak/sender.js"
_REFUSALS = ("already-spoken", "drill-label-missing", "ticket-expired", "bad-ticket")


@pages.post("/urgent/speak")
def prepare() -> ResponseReturnValue:
    """Say whom it will reach, and hand out the microphone; nothing is sent yet."""
    form = UrgentForm.sent(request.form)
    # What this form was kept under on the phone stays free for something that is no live broadcast.
    new = replace(form.new, request_id=uuid.uuid4().hex, asset_digest="", repeat=1)
    instant, person = now(), actor()
    if form.mode == Mode.DRILL:
        make_labels(form.unit_id)
    findings: tuple[Finding, ...] = ()
    given = proof()
    if request.form.get("second_code"):
        given, findings = _proven(given)
    elif request.form.get("second_username"):
        given, findings = _vouched(new, given)
    try:
        with reading() as db:
            broadcasting.check(db, new, now=instant, actor=person, proof=given)
    except (SecondFactorNeededError, SecondPersonNeededError) as lacking:
        return _second_page(form, findings or lacking.findings)
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        reach = reaching.reach(
            db,
            unit_id=new.unit_id,
            units=new.units,
            clusters=new.clusters,
            groups=new.groups,
            now=instant,
        )
    secret = secret_text(here().settings.secrets_dir, FLASK)
    page = make_response(
        render_template(
            "live/speak.html",
            form=form,
            unit=tree.unit(form.unit_id),
            reach=reach,
            longest_min=microphones.MAX_LENGTH // timedelta(minutes=1),
            ticket=microphones.ticket(new, actor=person, secret=secret, now=instant, proof=given),
            microphone=here().settings.microphone_url(request.host),
            sentences=_sentences(),
        )
    )
    return _connecting(page)


@pages.get("/urgent/microphone.js")
def sender() -> ResponseReturnValue:
    """Send what holds the microphone's connection: a thread of its own goes by its own policy."""
    answer = Response(f'import "{static_file(_SENDER)}";\n', mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return _connecting(answer)


def _connecting(answer: Response) -> Response:
    """Let it connect to where microphones are taken."""
    where = urlsplit(here().settings.microphone_url(request.host))
    policy = content_policy(f"{where.scheme}://{where.netloc}")
    answer.headers["Content-Security-Policy"] = policy
    return answer


def _proven(given: Proof) -> tuple[Proof, tuple[Finding, ...]]:
    """Take a code of the sender's second factor."""
    try:
        prove(request.form["second_code"])
    except (FactorRefusedError, TooOftenError) as refused:
        return given, refused.findings
    remember()
    return replace(given, is_fresh=True), ()


def _vouched(new: NewBroadcast, given: Proof) -> tuple[Proof, tuple[Finding, ...]]:
    """Add the word of a second person who types user name and password on this phone."""
    typed = request.form
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
    meant = meant_by(tree, new)
    if not meant:
        return given, ()
    try:
        assent = assenting.vouched(
            tree,
            meant,
            bulletin_class=new.bulletin_class,
            second=second_person(typed["second_username"], typed.get("second_password", "")),
            actor=actor(),
        )
    except (TooOftenError, WaitingRefusedError) as refused:
        return given, refused.findings
    except NotAllowedError:
        return given, (Finding("other-may-not"),)
    return replace(given, assent=assent), ()


def _second_page(form: UrgentForm, findings: Sequence[Finding]) -> ResponseReturnValue:
    """Ask for the second person at once: what is spoken live cannot wait."""
    kept = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and not name.startswith("second_")
    ]
    page = render_template("live/speak_second.html", form=form, kept=kept, findings=findings)
    return page, 403


def _sentences() -> dict[str, str]:
    refusals = {code: FINDINGS[code] for code in _REFUSALS}
    return {code: gettext(sentence) for code, sentence in {**_ENDS, **refusals}.items()}
