"""What goes with a request to show that an announcement is meant by whoever may."""

from server.services.assenting import Proof


def proof() -> Proof:
    """Gather it."""
    return Proof(prefers_other=True)
