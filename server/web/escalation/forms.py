"""The form of a rule: what was typed is kept, whether or not it can be used."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from server.domain.escalation import MOST_STEPS, Rule, Step
from server.services.escalation_rules import Held

_NO_LIMIT = -1
_LONGEST = 4


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step as it was typed; one with nothing in it is none."""

    after_s: str = ""
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleForm:
    """A rule as it was typed."""

    answer_s: str
    start_s: str
    steps: tuple[StepForm, ...]
    version: str

    @classmethod
    def of(cls, held: Held) -> "RuleForm":
        """Show the rule that holds."""
        steps = tuple(StepForm(str(one.after_s), one.contacts) for one in held.rule.steps)
        return cls(str(held.rule.answer_s), str(held.rule.start_s), steps, held.version)

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "RuleForm":
        """Read what was sent."""
        typed = (
            StepForm(_typed(form, f"step_{number}"), tuple(form.getlist(f"contact_{number}")))
            for number in range(1, MOST_STEPS + 1)
        )
        return cls(
            _typed(form, "answer_s"),
            _typed(form, "start_s"),
            tuple(one for one in typed if one != StepForm()),
            form.get("version", ""),
        )

    @property
    def rule(self) -> Rule:
        """What it asks for; a number that cannot be read is one that no rule may have."""
        steps = tuple(Step(_seconds(one.after_s), one.contacts) for one in self.steps)
        return Rule(_seconds(self.answer_s), _seconds(self.start_s), steps)

    @property
    def shown_steps(self) -> tuple[StepForm, ...]:
        """The steps, and room for another."""
        return (*self.steps, StepForm())[:MOST_STEPS]


def _typed(form: "MultiDict[str, str]", name: str) -> str:
    return form.get(name, "").strip()[: _LONGEST + 1]


def _seconds(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST
    return int(text) if is_number else _NO_LIMIT
