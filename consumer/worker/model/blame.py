"""Decides whose fault a failed call is, the server's or the request's.

It checks if the server answers others meanwhile. Only transient errors need this check: every other class already says
whose fault it is.
"""

import time

from consumer.worker.model.endpoint import ModelEndpoint
from inference.errors import ModelError, OutageError, TimedOutError, TransientError, WrongServerError


async def blame(endpoint: ModelEndpoint, error: ModelError, *, began_s: float, beside_others: bool) -> ModelError:
    """The error of a call that began at `began_s` of the monotonic clock, once the fault is known.

    It is an OutageError if the server is at fault, which is away then. Else it is `error`, the request's own trouble.
    `beside_others`: the request was to be alone, but other users had requests at the server too.
    """
    if isinstance(error, OutageError):
        endpoint.lost(error)
        if not error.crashed:
            return error
        died = await endpoint.state.died()
        return OutageError(str(error), failure=error.failure, crashed=died, beside_others=beside_others)
    if isinstance(error, TransientError) and not await answers_others(endpoint, error, began_s=began_s):
        return OutageError(f"{endpoint.url} has stopped answering")
    endpoint.ended(error)
    return error


async def answers_others(endpoint: ModelEndpoint, error: ModelError, *, began_s: float) -> bool:
    """Tells if the server answers other requests than the one that failed with `error`. If not, it is away from now on.

    It does if it has answered another call since `began_s`, or if it makes one token for a probe. A server that hangs,
    one whose engine hangs, and a proxy with nothing behind it do not.
    """
    if endpoint.away:
        return False
    looked_s = time.monotonic()
    try:
        await _look_for_life(endpoint, error, began_s)
    except WrongServerError:  # it was restarted with something else: the next call will find out
        return True
    except ModelError as exc:
        if endpoint.state.answered_s >= looked_s:
            return True
        endpoint.lost(exc)  # the log gets this error, since the words of `error` may repeat some of the prompt
        return False
    return True


async def _look_for_life(endpoint: ModelEndpoint, error: ModelError, began_s: float) -> None:
    """Raises a ModelError without a sign of life. Only tokens are one: an API can answer while its engine hangs."""
    if endpoint.state.answered_s < began_s:
        await endpoint.signs.join("probe", lambda _: _give_a_sign(endpoint))
    elif isinstance(error, TimedOutError):  # the server may have died since it answered the other call
        await endpoint.identify()


async def _give_a_sign(endpoint: ModelEndpoint) -> None:
    await endpoint.identify()
    await endpoint.probe()
