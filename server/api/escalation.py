"""When clusters count as not answering: read, lay down, withdraw."""

from apiflask import APIBlueprint

from server.api.schemas.broadcasts import EscalationRule
from server.api.schemas.escalation import HeldRule, RuleList, RuleRequest, VersionQuery
from server.http.context import actor, now, reading, writing
from server.services import escalation_rules


def add_to(api: APIBlueprint) -> None:
    """Add these addresses."""

    @api.get("/units/<unit_id>/escalation")
    @api.output(RuleList)
    @api.doc(summary="When clusters of a unit count as not answering", responses=[403, 404])
    def show_rules(unit_id: str) -> RuleList:
        return _rules(unit_id)

    @api.put("/units/<unit_id>/escalation/<bulletin_class>")
    @api.input(RuleRequest, arg_name="wanted")
    @api.output(RuleList)
    @api.doc(summary="Give a unit a rule of its own for one class", responses=[403, 404, 409, 422])
    def lay_down(unit_id: str, bulletin_class: str, wanted: RuleRequest) -> RuleList:
        with writing() as db:
            escalation_rules.lay_down(
                db,
                unit_id,
                bulletin_class,
                wanted.value,
                version=wanted.version,
                now=now(),
                actor=actor(),
            )
        return _rules(unit_id)

    @api.delete("/units/<unit_id>/escalation/<bulletin_class>")
    @api.input(VersionQuery, location="query", arg_name="query")
    @api.output(RuleList)
    @api.doc(summary="Let a unit go by the rule above it again", responses=[403, 404, 409, 422])
    def withdraw(unit_id: str, bulletin_class: str, query: VersionQuery) -> RuleList:
        with writing() as db:
            escalation_rules.withdraw(
                db, unit_id, bulletin_class, version=query.version, now=now(), actor=actor()
            )
        return _rules(unit_id)


def _rules(unit_id: str) -> RuleList:
    with reading() as db:
        held = escalation_rules.listed(db, unit_id, actor=actor(), now=now())
    return RuleList(
        rules=[
            HeldRule(
                bulletin_class=one.bulletin_class,
                rule=EscalationRule.model_validate(one.rule),
                unit_id=one.unit_id,
                version=one.version,
            )
            for one in held
        ]
    )
