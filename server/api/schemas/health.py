"""What programs are told of the server itself."""

from server.api.schemas.common import Answer


class Health(Answer):
    """Whether this program can do its work."""

    status: str
    database: str
