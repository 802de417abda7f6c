"""What users may ask of a document: `regenerate`, `forget` and `retry`."""

from typing import Literal

from ledger import transitions
from ledger.transitions import UNDER_WAY, Event, allowed
from schemas import LedgerEntry, Request

ActionName = Literal["regenerate", "forget", "retry"]
EVENTS: dict[ActionName, Event] = {
    "regenerate": Event.REGENERATE,
    "forget": Event.FORGET,
    "retry": Event.RETRY,
}


def requested(entry: LedgerEntry, request: Request) -> LedgerEntry | None:
    """Return the entry once `request` is taken up; None where the request changes nothing.

    The file is published at the next look at it, as after any restart.
    """
    if not allowed(entry.state, EVENTS[request.action]):
        return None
    match request.action:
        case "regenerate":
            return transitions.regenerate(entry, fresh=request.fresh)
        case "forget":
            return transitions.forget(entry)
        case "retry":
            return transitions.retry(entry)


def has_to_wait(entry: LedgerEntry, action: ActionName) -> bool:
    """Tell whether `action` waits for the end of the publication that is under way."""
    return action == "regenerate" and entry.state in UNDER_WAY
