"""The form of a rule: what was typed is kept, whether or not it can be used."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from server.domain.escalation import Rule
from server.services.escalating import Held

_NO_LIMIT = -1
_LONGEST = 4


@dataclass(frozen=True, slots=True)
class RuleForm:
    """A rule as it was typed."""

    answer_s: str
    start_s: str
    version: str

    @classmethod
    def of(cls, held: Held) -> "RuleForm":
        """Show the rule that holds."""
        return cls(str(held.rule.answer_s), str(held.rule.start_s), held.version)

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "RuleForm":
        """Read what was sent."""
        return cls(
            form.get("answer_s", "").strip()[: _LONGEST + 1],
            form.get("start_s", "").strip()[: _LONGEST + 1],
            form.get("version", ""),
        )

    @property
    def rule(self) -> Rule:
        """What it asks for; a number that cannot be read is one that no rule may have."""
        return Rule(answer_s=_seconds(self.answer_s), start_s=_seconds(self.start_s))


def _seconds(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST
    return int(text) if is_number else _NO_LIMIT
