"""The log-ins that a demo shows on its first page; without one there are none."""

import msgspec

from server.settings import Settings


class DemoLogin(msgspec.Struct, frozen=True):
    """Somebody who may log in, with a password that everybody may know."""

    username: str
    password: str
    full_name: str
    role: str
    unit_name: str


def demo_logins(settings: Settings) -> list[DemoLogin]:
    """Read the file that the demo leaves in its state folder."""
    if not settings.demo or not settings.demo_logins.is_file():
        return []
    return msgspec.json.decode(settings.demo_logins.read_bytes(), type=list[DemoLogin])
