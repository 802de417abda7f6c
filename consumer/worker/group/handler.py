"""The protocol by which the consumer group hands a record to the rest of the worker.

The way of a chunk: `Membership` reads records with `GroupIntake`; `Tenure.take_in` starts `Handler.handle` for each of
them; the tenure commits the outcome with its offset in `commit_outcomes`.
"""

from typing import Protocol

from consumer.worker.outcome import Outcome
from messaging.record import Record


class Handler(Protocol):
    """Turns records into outcomes, any number at a time."""

    @property
    def ready(self) -> bool:
        """False while no record should be read. The member then stays in the group and waits."""

    async def handle(self, record: Record) -> Outcome:
        """Returns the record's outcome, however long it takes. It is cancelled when the partition is lost.

        Raises WorkerError when the worker can't go on. Any other failure is an outcome.
        """

    async def finish(self) -> None:
        """Begins no more calls to the model, and waits until the answers of those under way have become outcomes.

        An answer is left out if its chunk needs a further call. It is called once, when the worker stops, and cancelled
        after `drain_s` seconds.
        """
