"""Passwords and access rules of the embedded broker, read from Mosquitto's own files."""

from dataclasses import dataclass
from pathlib import Path

from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session
from typing_extensions import override

from server.mqtt.access import AccessList, is_secret, read_access, read_passwords


class FileAccess(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc] # the library is untyped
    """Lets in whom the password file names, to what the access file grants.

    As with Mosquitto every subscription is granted and what may not be read is not delivered.
    """

    @dataclass
    class Config:
        """Where the two files are."""

        password_file: str
        access_file: str

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._passwords: dict[str, str] = {}
        self._access = AccessList()
        self._stamps: tuple[int, ...] = ()
        self.reload()

    def reload(self) -> bool:
        """Read the files again if they have changed; say whether they had."""
        files = Path(self.config.password_file), Path(self.config.access_file)
        stamps = tuple(stamp for file in files for stamp in _stamps(file))
        if stamps == self._stamps:
            return False
        self._passwords = read_passwords(files[0].read_text())
        self._access = read_access(files[1].read_text())
        self._stamps = stamps
        return True

    def knows(self, user: str | None) -> bool:
        """Say whether the password file names ``user``."""
        return user is not None and user in self._passwords

    def may_read(self, user: str | None, topic: str) -> bool:
        """Say whether ``user`` may receive what is published on ``topic``."""
        return self.knows(user) and self._access.may_read(user or "", topic)

    @override
    async def authenticate(self, *, session: Session) -> bool:
        hashed = self._passwords.get(session.username or "")
        return hashed is not None and is_secret(hashed, session.password or "")

    @override
    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        user = session.username if session else None
        if topic is None or not self.knows(user):
            return False
        if action == Action.PUBLISH:
            return self._access.may_write(user or "", topic)
        return action == Action.SUBSCRIBE or self._access.may_read(user or "", topic)


def _stamps(file: Path) -> tuple[int, int]:
    # A file that is replaced within the clock's grain still has another inode.
    found = file.stat()
    return found.st_mtime_ns, found.st_ino
