"""Compares the outcomes that were read with the expected ones. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from chaos.checking.feed import Expectation, Expected
from messaging.record import Record
from schemas import DeadLetter, DecodeError, Result, Status, TopicNames, decode

SHOWN = 5
STATUS = {Expected.OK: Status.OK, Expected.EMPTY: Status.EMPTY, Expected.FAILED: Status.FAILED}


@dataclass(slots=True)
class Verdict:
    """The result of a comparison. `problems` has a line for each problem, by kind."""

    expected: int
    results: int
    letters: int
    problems: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def clean(self) -> bool:
        return not any(self.problems.values())

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, found in self.problems.items() if found}

    def __str__(self) -> str:
        lines = [f"{self.expected} expected, {self.results} results, {self.letters} letters"]
        for kind, found in sorted(self.problems.items()):
            lines += [f"{len(found):7d} {kind}", *(f"          {each}" for each in found[:SHOWN])]
        return "\n".join(lines if not self.clean else [*lines, "nothing lost, nothing doubled"])


class Balance:
    """Takes records of qa.results and qa.dead-letters; `verdict` compares them with the expected outcomes."""

    def __init__(self, names: TopicNames) -> None:
        self._names = names
        self._results: Counter[str] = Counter()
        self._letters: Counter[tuple[int, int]] = Counter()
        self._statuses: dict[str, Status] = {}
        self._origins: dict[str, tuple[int, int]] = {}
        self._last: dict[tuple[str, int], int] = {}
        self._wrong: list[tuple[str, str]] = []
        self._undecodable: set[tuple[int, int]] = set()
        self.doubled = 0

    @property
    def outcomes(self) -> int:
        """Number of records of qa.chunks that have a result or, if they are undecodable, a dead letter."""
        return len(self._results) + len(self._undecodable)

    @property
    def records(self) -> dict[str, int]:
        """How often each record was read: results by record id, dead letters by origin."""
        letters = {f"letter {partition}:{offset}": n for (partition, offset), n in self._letters.items()}
        return dict(self._results) | letters

    def take(self, record: Record) -> None:
        """Takes a record. Give those of one partition in their order."""
        place = (record.topic, record.partition)
        if record.offset <= self._last.get(place, -1):
            self._wrong.append(("disorder", f"{place} gave offset {record.offset} after {self._last[place]}"))
        self._last[place] = record.offset
        try:
            if record.topic == self._names.results:
                self._take_result(record, decode(Result, record.value))
            else:
                self._take_letter(record, decode(DeadLetter, record.value))
        except DecodeError as exc:
            self._wrong.append(("contract", f"{place} offset {record.offset}: {exc}"))

    def _take_result(self, record: Record, result: Result) -> None:
        identity = result.record_id
        self._results[identity] += 1
        self.doubled += self._results[identity] > 1
        self._statuses[identity] = result.status
        self._origins[identity] = (result.origin.partition, result.origin.offset)
        if record.key != result.document.id.encode():
            self._wrong.append(("contract", f"{identity}: key {record.key!r} is not the document's id"))
        if result.status is Status.OK and not all(p.evidence and p.question for p in result.pairs):
            self._wrong.append(("contract", f"{identity}: a pair without evidence or question"))
        if result.origin.topic != self._names.chunks:
            self._wrong.append(("contract", f"{identity}: comes from {result.origin.topic}"))

    def _take_letter(self, record: Record, letter: DeadLetter) -> None:
        if letter.origin is None:
            self._wrong.append(("contract", f"letter {letter.letter_id} without origin"))
            return
        place = (letter.origin.partition, letter.origin.offset)
        self._letters[place] += 1
        self.doubled += self._letters[place] > 1
        if letter.kind == "record":
            self._undecodable.add(place)

    def verdict(self, expectations: list[Expectation]) -> Verdict:
        wanted = [e for e in expectations if e.expected is not Expected.NOTHING]
        verdict = Verdict(len(wanted), sum(self._results.values()), sum(self._letters.values()))
        for kind, text in self._wrong:
            verdict.problems[kind].append(text)
        self._check_results(expectations, verdict)
        self._check_letters(wanted, verdict)
        return verdict

    def _check_results(self, expectations: list[Expectation], verdict: Verdict) -> None:
        known = {e.record: e for e in expectations if e.record}
        for identity, times in self._results.items():
            expectation = known.get(identity)
            if times > 1:
                verdict.problems["doubled"].append(f"{identity} {times} times, from {self._origins[identity]}")
            if expectation is None:
                verdict.problems["foreign"].append(f"{identity} was never published")
            elif expectation.expected is Expected.NOTHING:
                verdict.problems["aborted"].append(f"{identity} was in an aborted transaction")
            else:
                self._check_one(expectation, verdict)
        for identity in known.keys() - self._results.keys():
            if (expectation := known[identity]).expected is not Expected.NOTHING:
                place = f"partition {expectation.partition} offset {expectation.offset}"
                verdict.problems["lost"].append(f"{identity}, {place}")

    def _check_one(self, expectation: Expectation, verdict: Verdict) -> None:
        status, origin = self._statuses[expectation.record], self._origins[expectation.record]
        if status is not STATUS[expectation.expected]:
            verdict.problems["status"].append(f"{expectation.record} is {status}, not {expectation.expected}")
        if origin != (expectation.partition, expectation.offset):
            verdict.problems["contract"].append(f"{expectation.record} has origin {origin}")

    def _check_letters(self, wanted: list[Expectation], verdict: Verdict) -> None:
        lettered = {(e.partition, e.offset) for e in wanted if e.expected in (Expected.FAILED, Expected.UNDECODABLE)}
        for place in lettered - self._letters.keys():
            verdict.problems["letters lost"].append(f"of {place}")
        for place, times in self._letters.items():
            if place not in lettered:
                verdict.problems["letters not planted"].append(f"of {place}")
            if times > 1:
                verdict.problems["letters doubled"].append(f"of {place}, {times} times")
