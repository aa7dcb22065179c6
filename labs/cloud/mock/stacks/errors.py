"""Why something is not done: the API refuses it, or a resource of a stack fails."""


class Refused(Exception):
    """An answer of the API. code: AWS's; "ValidationError" for most of what is wrong."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.code = code


class Failed(Exception):
    """A resource, or a stack, could not be made what its template says; the text is the reason."""


class NotInMock(Failed):
    """AWS has it, this mock has not; the text says so."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: AWS has it, this mock does not")


class Invalid(Failed):
    """Found before any call was made: the resource is as it was."""


class Unchangeable(NotInMock, Invalid):
    """A change that the mock's API has no operation for."""
