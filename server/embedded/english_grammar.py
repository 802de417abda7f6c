"""As much English grammar as turning a statement into a question takes."""

import re

from server.embedded import english_words as w

_MOST_SUBJECT_WORDS = 14


def is_subject(text: str) -> bool:
    """Whether it names something by itself: a noun phrase, as far as can be seen."""
    return (
        0 < len(text.split()) <= _MOST_SUBJECT_WORDS
        and re.match(r"[A-Za-z0-9]", text) is not None
        and not w.POINTING.search(text)
        and not w.NOT_A_NAME.match(text)
        and not w.NOT_IN_A_NAME.search(re.sub(r"\([^)]*\)", "", text))
        and not w.BARE.match(text)
        and not w.DANGLING.search(text)
        and text.count("(") == text.count(")")
    )


def is_measured(subject: str) -> bool:
    """Whether its head is a quantity, and it is said of what: "the band gap of silicon", "the minimum pitch"."""
    head = re.split(r" (?:of|for|in|at|between|on|from|per|to|with) ", re.sub(r"\([^)]*\)", "", subject))[0]
    owner_known = len(subject.split()) >= 3 or not re.match(r"(?:the|an?) ", subject, re.IGNORECASE)
    return owner_known and re.search(rf"\b{w.ATTRIBUTE}$", head.strip()) is not None


def agrees(subject: str, verb: str) -> bool:
    """Whether the verb fits the subject's number; if not, it is no verb there ("leakage increases")."""
    head = re.split(r" (?:of|for|in|at|on|with|between|from) ", subject)[0]
    plural = re.search(r"(?<![sui])s$", head) is not None or " and " in head
    return plural != verb.endswith("s")


def lowered(phrase: str) -> str:
    """As it stands inside a sentence: names, acronyms and symbols keep their capitals."""
    first = phrase.split(" ", 1)[0]
    plain = re.fullmatch(r"[A-Z][a-z]+(?:-[a-z]+)*|A", first)
    return phrase[:1].lower() + phrase[1:] if plain and first.partition("-")[0] not in w.PROPER else phrase


def capitalized(phrase: str) -> str:
    """As it begins a sentence; "p-type" stays as it is."""
    return phrase if re.match(r"[a-z]-", phrase) else phrase[:1].upper() + phrase[1:]


def do(verb: str) -> str:
    """The form of "do" that asks for a verb."""
    if verb in ("was", "were", "had"):
        return "did"
    return "does" if verb.endswith("s") else "do"


def base(verb: str) -> str:
    """The infinitive; what follows the verb stays ("consists of": "consist of")."""
    head, _, rest = verb.partition(" ")
    if head in ("has", "had"):
        head = "have"
    elif head.endswith("ies"):
        head = head[:-3] + "y"
    elif head.endswith(("ches", "shes", "sses")):
        head = head[:-2]
    elif head.endswith("s") and not head.endswith("ss"):
        head = head[:-1]
    return f"{head} {rest}".strip()
