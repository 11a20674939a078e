"""The form of a silence: carried through the confirming page, sent once."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from server.services.hushing import NewHush


@dataclass(frozen=True, slots=True)
class HushForm:
    """A silence as it was typed."""

    unit_id: str
    reason: str = ""
    spares_emergencies: bool = False
    mode: str = "real"

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "HushForm":
        """Read what was sent."""
        return cls(
            unit_id=form.get("unit_id", ""),
            reason=form.get("reason", "").strip(),
            spares_emergencies=form.get("spares_emergencies") == "yes",
            mode=form.get("mode", "real"),
        )

    @property
    def new(self) -> NewHush:
        """What it asks for."""
        return NewHush(
            self.unit_id, self.reason, spares_emergencies=self.spares_emergencies, mode=self.mode
        )
