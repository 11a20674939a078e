"""People as Flask-Security wants them: the rows, with what it asks of whoever logs in."""

from flask_security.core import RoleMixin, UserMixin
from typing_extensions import override

from server.store.models import RoleRow, UserRow


class NoRole(RoleRow, RoleMixin):
    """A role, of which there are none: rights are grants, decided in one place."""


class Person(UserRow, UserMixin):  # type: ignore[misc]  # its columns are ours, and may be empty
    """Somebody who may log in; only pages and API pay for loading this."""

    @property
    @override
    def roles(self) -> list[RoleMixin]:  # type: ignore[override]  # never assigned
        """Answer Flask-Security."""
        return []
