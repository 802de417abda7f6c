"""The refusals of the embedded server, as OpenAI-compatible error bodies."""

from typing import Any


class RequestError(Exception):
    """A request that gets an HTTP error. `param` names the part of the request that is wrong."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param

    def body(self) -> dict[str, Any]:
        """The error as vLLM and the OpenAI API write it."""
        kinds = {401: "AuthenticationError", 404: "NotFoundError", 413: "RequestTooLargeError"}
        kind = kinds.get(self.status, "BadRequestError")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.status}}
