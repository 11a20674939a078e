"""What can go wrong while a board is being prepared."""


class FirmwareConfigError(Exception):
    """Root of this package's errors."""


class UnknownProfileError(FirmwareConfigError):
    """No board profile has this name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no board profile is named {name!r}; known are {', '.join(known)}")
        self.name = name
        self.known = known


class BadProfileError(FirmwareConfigError):
    """A board profile says something that cannot be wired."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"board profile {name}: {reason}")
        self.name = name
        self.reason = reason
