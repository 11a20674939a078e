"""What a province's database is asked."""

from contextlib import contextmanager

from sqlalchemy import event


@contextmanager
def counted(province):
    """Keep what is asked of the database while the block runs."""
    engine = province.sessions.kw["bind"]
    sent: list[str] = []

    def note(_connection, _cursor, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)
