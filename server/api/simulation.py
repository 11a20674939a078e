"""What saving a slot would change; nothing is saved."""

from apiflask import APIBlueprint

from server.api.schemas.slots import SlotTrial
from server.api.schemas.trials import (
    TrialAnswer,
    TrialCluster,
    TrialDay,
    TrialFinding,
    TrialGroup,
    TrialSpan,
    TrialTurns,
    TrialWinner,
)
from server.domain.turn_taking import Sharing
from server.http.context import actor, here, now, reading
from server.http.wording import finding_sentence
from server.services import scheduling, simulation


def add_to(api: APIBlueprint) -> None:
    """Add this address."""

    @api.post("/slots/simulate")
    @api.input(SlotTrial, arg_name="wanted")
    @api.output(TrialAnswer)
    @api.doc(summary="What saving a slot would change", responses=[403, 404, 422])
    def simulate_slot(wanted: SlotTrial) -> TrialAnswer:
        new = scheduling.NewSlot(**wanted.model_dump(exclude={"slot_id"}))
        with reading() as db:
            effect = simulation.simulate(
                db,
                new,
                now=now(),
                actor=actor(),
                replacing=wanted.slot_id or "",
                plan_days=here().settings.plan_days,
            )
        return TrialAnswer(
            changed=effect.changed,
            reached=effect.reached,
            days=list(effect.days),
            is_silent=effect.is_silent,
            slack_s=effect.slack_s,
            turns=_turns(effect.sharing),
            groups=[_group(group) for group in effect.groups],
            loses_to=[TrialWinner(title=title, unit_name=unit) for title, unit in effect.loses_to],
            findings=[
                TrialFinding(code=one.code, message=finding_sentence(one))
                for one in effect.findings
            ],
        )


def _turns(sharing: Sharing | None) -> TrialTurns | None:
    if sharing is None:
        return None
    return TrialTurns(
        turn_count=len(sharing.order),
        each_s=sharing.lasts_s,
        needed_s=sharing.needed_s,
        fits=sharing.fits,
    )


def _group(group: simulation.Group) -> TrialGroup:
    return TrialGroup(
        clusters=[TrialCluster(cluster_id=one, name=name) for one, name in group.clusters],
        days=[
            TrialDay(
                day=change.day,
                before=[_span(span) for span in change.before],
                after=[_span(span) for span in change.after],
            )
            for change in group.days
        ],
    )


def _span(span: scheduling.TimelineSpan) -> TrialSpan:
    return TrialSpan(
        start=span.start,
        end=span.end,
        title=span.title,
        unit_name=span.unit_name,
        bulletin_class=span.bulletin_class.value if span.bulletin_class else "",
        slot_id=span.slot_id,
        goes_before=list(dict.fromkeys(loser.title for loser in span.losers)),
    )
