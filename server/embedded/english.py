"""Questions that one English sentence answers, found by the form of its clauses.

A rule asks only what it can ask in whole: a subject that is a pronoun, a bare "the result" or no plain noun phrase
makes no question.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from server.embedded import english_words as w
from server.embedded.english_grammar import agrees, base, capitalized, do, is_measured, is_subject, lowered
from server.embedded.pair import Draft, Kind

_MOST_WORDS = 60  # of a sentence
_MOST_EFFECT_WORDS = 30
_NUMBER_GIVEN = "The sentence gives the number."
_SAID = "The sentence says it directly."


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause; `condition` stood before it ("At room temperature") and goes to the end of a question."""

    text: str
    condition: str

    @property
    def answer(self) -> str:
        lead = f"{self.condition}, {self.text}" if self.condition else capitalized(self.text)
        return f"{lead}."

    def asks(self, question: str) -> str:
        return f"{question} {lowered(self.condition)}?" if self.condition else f"{question}?"


def drafts(sentence: str) -> Iterator[Draft]:
    """All questions that the sentence (on one line) answers; none if it points at something outside itself."""
    body = w.LEAD.sub("", sentence.rstrip(" .;!"))
    if not 4 <= len(body.split()) <= _MOST_WORDS or body[-1:] in "?:" or not re.match(r"[A-Z0-9]|[a-z]-", body):
        return
    for statement in re.split(r";\s+(?!(?:therefore|so|thus|hence)\b)", body):
        found = [*_because(statement), *_compared_with(statement), *_as_it_changes(statement)]
        for clause in _clauses(statement):
            for rule in _RULES:
                found.extend(rule(clause))
        yield from (draft for draft in found if _asks_in_whole(draft.question))


def _asks_in_whole(question: str) -> bool:
    return not w.POINTING.search(question) and len(question) <= 200


def _clauses(statement: str) -> Iterator[Clause]:
    """Main clauses: split where one may end; a piece that is none has no subject that a rule accepts."""
    match = w.CONDITION.match(statement)
    condition = match["condition"] if match else ""
    rest = statement[match.end() :] if match else statement
    for part in re.split(r",? because |; (?:therefore|so|thus|hence),? |, so ", rest):
        for piece in re.split(r", (?:while|whereas|and|but|or) (?=[A-Za-z])|,? while (?=the |an? )|, which ", part):
            yield Clause(piece.strip(), condition)
        condition = ""


def _definition(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        r"^(?P<s>[^,]+?)(?:, (?:also |often |sometimes |usually )?(?:called|known as|named|or) [^,]+,)? "
        r"(?P<v>is|are) (?!(?:a|an|the) (?:few|lot)\b|one [^o])(?:an?|the|one|any) .{3,}$",
        clause.text,
    ) or re.match(
        rf"^(?P<s>[^,]+?) (?P<v>are) (?!{w.NOT_A_CLASS.pattern})[a-z-]+(?: [a-z-]+){{0,4}} "
        r"(?:that|which|made|with|whose|of) .+$",
        clause.text,
    )
    if match and is_subject(match["s"]):
        question = clause.asks(f"What {match['v']} {lowered(match['s'])}")
        yield Draft("factual", question, clause.answer, "The sentence says what it is.")


def _meaning(clause: Clause) -> Iterator[Draft]:
    match = re.match(r"^(?P<s>[^,]+?) (?P<v>refers? to|stands? for) .{3,}$", clause.text)
    if match and is_subject(match["s"]):
        question = f"What {do(match['v'].split()[0])} {lowered(match['s'])} {base(match['v'])}"
        yield Draft("factual", clause.asks(question), clause.answer, "The sentence says what it means.")


def _name(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        r"^(?P<s>[^,]+?) (?P<v>is|are) (?:also |often |usually )?(?P<c>called|known as) (?:an? |the )?[\w -]{3,40}$",
        clause.text,
    )
    if match and is_subject(match["s"]):
        question = f"What {match['v']} {lowered(match['s'])} {match['c']}"
        yield Draft("factual", clause.asks(question), clause.answer, "The sentence gives the name.")


def _quantity(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        rf"^(?P<s>[^,]+?) (?P<v>is|are|was|were)(?: {w.ABOUT})* {w.VALUE}(?P<how>(?: (?:{w.DIMENSION}))?)(?=$|[ ,)(])",
        clause.text,
    )
    if not match or not is_subject(match["s"]):
        return
    if how := match["how"].strip():
        question = f"How {how} {match['v']} {lowered(match['s'])}"
        yield Draft("factual", clause.asks(question), clause.answer, _NUMBER_GIVEN)
    elif is_measured(match["s"]) and not re.match(r" [a-z]+ (?:that|which|of)\b", clause.text[match.end() :]):
        yield Draft("factual", clause.asks(f"What {match['v']} {lowered(match['s'])}"), clause.answer, _NUMBER_GIVEN)


def _reach(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        r"^(?P<s>[^,]+?) (?P<can>can |may |must |should )?(?P<v>reach|exceed|equal|measure)(?P<es>e?s|ed)?"
        rf"(?: {w.ABOUT})* {w.VALUE}",
        clause.text,
    )
    if match and is_subject(match["s"]) and is_measured(match["s"]) and (match["can"] or match["es"]):
        auxiliary = (match["can"] or ("did" if match["es"] == "ed" else "does")).strip()
        question = f"What value {auxiliary} {lowered(match['s'])} {match['v']}"
        yield Draft("factual", clause.asks(question), clause.answer, _NUMBER_GIVEN)


def _range(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        rf"^(?P<s>[^,]+?) (?:ranges?|var(?:y|ies)|extends?|spans?) (?:from )?(?:{w.ABOUT} )*{w.VALUE}", clause.text
    )
    if match and is_subject(match["s"]):
        yield Draft("factual", clause.asks(f"What is the range of {lowered(match['s'])}"), clause.answer, _NUMBER_GIVEN)


def _has(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        rf"^(?P<s>[^,]+?) (?P<v>{w.HOLDS}) (?:an? |the )?(?P<what>(?:[\w-]+ ){{0,3}}?{w.ATTRIBUTE}) "
        rf"(?:of|below|above) (?:{w.ABOUT} )*{w.VALUE}",
        clause.text,
    )
    if match and is_subject(match["s"]):
        question = f"What {match['what']} {do(match['v'])} {lowered(match['s'])} {base(match['v'])}"
        yield Draft("factual", clause.asks(question), clause.answer, _NUMBER_GIVEN)


def _works_at(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        rf"^(?P<s>[^,]+?) (?P<v>{w.WORKS}) at (?:an? )?(?P<what>(?:[\w-]+ ){{0,2}}?{w.ATTRIBUTE}) "
        rf"of (?:{w.ABOUT} )*{w.VALUE}",
        clause.text,
    )
    if match and is_subject(match["s"]):
        question = f"At what {match['what']} {do(match['v'])} {lowered(match['s'])} {base(match['v'])}"
        yield Draft("factual", clause.asks(question), clause.answer, _NUMBER_GIVEN)


def _passive(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        r"^(?P<s>[^,]+?) (?P<v>is|are|was|were)(?: (?:usually|typically|often|mostly|commonly))? "
        rf"(?P<p>{w.PARTICIPLE}) (?P<by>by|using|with|from|of) (?!about|\d).+$",
        clause.text,
    )
    if match and is_subject(match["s"]):
        verb, subject, participle = match["v"], lowered(match["s"]), match["p"]
        if match["by"] in ("of", "from"):
            question = f"What {verb} {subject} {participle} {match['by']}"
        else:
            question = f"How {verb} {subject} {participle}"
        yield Draft("factual", clause.asks(question), clause.answer, "The sentence says how.")


def _relation(clause: Clause) -> Iterator[Draft]:
    """A verb that names a relation, asked for its object."""
    match = re.match(rf"^(?P<s>[^,]+?) (?P<v>{w.RELATION}) (?!by\b|with\b|the most\b).{{3,}}$", clause.text)
    if match and is_subject(match["s"]) and agrees(match["s"], match["v"].split()[0]):
        verb = re.sub(r" (?:mainly|only|strongly) ", " ", match["v"])
        question = clause.asks(f"What {do(verb.split()[0])} {lowered(match['s'])} {base(verb)}")
        reasons = verb.startswith(("lead", "result", "cause", "depend"))
        kind: Kind = "reasoning" if reasons else "factual"
        yield Draft(kind, question, clause.answer, _SAID)


def _use(clause: Clause) -> Iterator[Draft]:
    match = re.match(r"^(?P<s>[^,]+?) (?P<v>is|are) (?:\w+ )?used (?P<for>to|for|as|in) .{3,}$", clause.text)
    if match and is_subject(match["s"]):
        preposition = {"to": "for"}.get(match["for"], match["for"])
        question = f"What {match['v']} {lowered(match['s'])} used {preposition}"
        yield Draft("factual", clause.asks(question), clause.answer, _SAID)


def _comparison(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        rf"^(?P<a>[^,]+?) (?P<v>{w.COMPARED}) (?:[^,]*? )?{w.COMPARATIVE}\b[^,]*? than (?P<b>[^,;]+)$", clause.text
    )
    if not match or re.search(r" than (?:\w+ )?[±−-]?\d|rather than|other than", clause.text):
        return
    other = re.split(r" (?:because|if|when|since|but|does|do|is|are|can) ", match["b"])[0]
    if is_subject(match["a"]) and not w.POINTING.search(match["b"]):
        question = f"How {do(match['v'])} {lowered(match['a'])} compare with {other}"
        yield Draft("comparative", clause.asks(question), clause.answer, "The sentence compares the two.")


_RULES: tuple[Callable[[Clause], Iterator[Draft]], ...] = (
    _definition,
    _meaning,
    _name,
    _quantity,
    _reach,
    _range,
    _has,
    _works_at,
    _passive,
    _relation,
    _use,
    _comparison,
)


def _because(statement: str) -> Iterator[Draft]:
    for pattern in (
        r"^(?P<effect>[^;]+?)(?:,? because|, since) (?!of\b)(?P<cause>[^;]+)$",
        r"^(?:Because|Since) (?P<cause>[^,;]+), (?P<effect>[^;]+)$",
        r"^(?P<cause>[^;]+?)(?:, so|; so|[;,] therefore,?|; thus,?|; hence,?) (?!that\b|far\b)(?P<effect>[^;]+)$",
    ):
        match = re.match(pattern, statement)
        if match and (question := _why(match["effect"])):
            yield Draft("reasoning", question, f"{statement}.", f"The sentence gives the reason: {match['cause']}.")
            return


def _why(effect: str) -> str:
    """A question for the reason of a statement; "" if its subject is not plain."""
    effect = re.split(r", (?:and|which|while|but|so|because|where) | because |: ", effect)[0].strip()
    effect = effect.removeprefix("therefore ")
    if w.SINGLE_NOUN.match(effect) or len(effect.split()) > _MOST_EFFECT_WORDS:
        return ""  # "the pitch is halved": which?
    return _why_auxiliary(effect) or _why_verb(effect)


def _why_auxiliary(effect: str) -> str:
    match = re.match(rf"^(?P<s>.+?) (?P<v>{w.AUXILIARY})(?P<not> not)? (?P<rest>.+)$", effect)
    if not match or not is_subject(match["s"]) or re.match(r"an? ", match["rest"]):
        return ""
    subject, verb, rest = lowered(match["s"]), match["v"], match["rest"]
    if verb in ("has to", "have to"):
        return f"Why {do(verb.split()[0])} {subject} have to {rest}?"
    negation = " not" if match["not"] or verb == "cannot" else ""
    return f"Why {'can' if verb == 'cannot' else verb} {subject}{negation} {rest}?"


def _why_verb(effect: str) -> str:
    match = re.match(
        rf"^(?P<s>(?:(?!(?:before|after|into|to|as)\b)[^ ,]+ ){{1,10}}?)(?P<v>{w.MAIN_VERB})(?= |$)(?P<rest>.*)$",
        effect,
    )
    if match and is_subject(subject := match["s"].strip()) and agrees(subject, match["v"]):
        return f"Why {do(match['v'])} {lowered(subject)} {base(match['v'])}{match['rest']}?"
    return ""


def _compared_with(statement: str) -> Iterator[Draft]:
    match = re.match(
        r"^(?:Compared with|Compared to|In comparison with|Unlike) (?P<b>[^,]+), (?P<a>[^,]+?) "
        rf"(?P<v>can|{w.COMPARED}|allows?)\b",
        statement,
    )
    if match and is_subject(match["a"]) and is_subject(match["b"]):
        verb = "does" if match["v"] == "can" and agrees(match["a"], "s") else do(match["v"])
        question = f"How {verb} {match['a']} compare with {match['b']}?"
        yield Draft("comparative", question, f"{statement}.", "The sentence compares the two.")


def _as_it_changes(statement: str) -> Iterator[Draft]:
    match = re.match(
        rf"^(?:As|When) (?P<cause>[^,]+ {w.CHANGE}[^,]*), (?P<s>[^,]+?) {w.CHANGE}\b[^;]*$",
        statement,
    )
    if match and is_subject(match["s"]) and not w.POINTING.search(match["cause"]):
        question = f"What happens to {match['s']} as {lowered(match['cause'])}?"
        yield Draft("reasoning", question, f"{statement}.", "The sentence says how one changes with the other.")
