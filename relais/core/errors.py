"""The two domain errors. Everything else is a bug."""


class Refused(Exception):
    """What was asked cannot be done: the message is a sentence in French for the user, with what to do.

    `field` names the form field it belongs beside, when there is one.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = str(message)
        self.field = field


class NotFound(Exception):
    """It does not exist, or this actor may not see it: the same answer (404) for both."""
