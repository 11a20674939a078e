"""Rules for clusters that do not answer, as programs ask for them and are told of them."""

from typing import Annotated

from pydantic import Field

from server.api.schemas.broadcasts import EscalationRule
from server.api.schemas.common import Answer, Id, Request
from server.domain.escalation import Rule, Step

_VERSION = Field(
    max_length=64, description="The version seen; empty where the unit has no rule of its own."
)
_SECONDS = Field(ge=-1, le=1_000_000)


class StepRequest(Request):
    """Whom to tell when clusters are silent so many seconds after sending."""

    after_s: Annotated[int, _SECONDS]
    contacts: Annotated[list[Id], Field(max_length=100)]


class RuleRequest(Request):
    """A rule of one class."""

    answer_s: Annotated[int, _SECONDS]
    start_s: Annotated[int, _SECONDS]
    steps: Annotated[list[StepRequest], Field(max_length=20)] = Field(default_factory=list)
    version: Annotated[str, _VERSION] = ""

    @property
    def value(self) -> Rule:
        """What it asks for."""
        steps = tuple(Step(one.after_s, tuple(one.contacts)) for one in self.steps)
        return Rule(self.answer_s, self.start_s, steps)


class VersionQuery(Request):
    """Which version of the unit's own rule is meant."""

    version: Annotated[str, _VERSION] = ""


class HeldRule(Answer):
    """The rule that holds for one class; ``unit_id`` laid it down, null: it is the default."""

    bulletin_class: str
    rule: EscalationRule
    unit_id: str | None
    version: str


class RuleList(Answer):
    """The rule of each class, the gravest first."""

    rules: list[HeldRule]
