"""Questions that one English sentence answers, found by the form of the sentence.

A rule asks only about a plain noun phrase that names something by itself: "a wafer", "the band gap of silicon", but not
"it", "the result" or "this file". It is better to ask nothing than to ask something wrong.
"""

import re
from collections.abc import Iterator

Question = tuple[str, str, str]  # type, question, answer


def _any(words: str) -> str:
    return "(?:" + "|".join(words.split()) + ")"


# A sentence that points outside itself is not asked.
_POINTING = _any(
    "this these those such former latter aforementioned said here figure fig section chapter me my you your we us our i he she his her him following shown"
)
_POINTS_OUTSIDE = re.compile(rf"(?<![\w.]){_POINTING}(?![\w.])|\b(?:Inc|Corp|Ltd|Co)\. [A-Z]", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|ones?|same|others?|another|then|above|below|previous|next|today|currently|now)\b|—",
    re.IGNORECASE,
)
_NO_NAME = _any(
    "is are was were be been has have had can could may might must will would do does did that which who whom whose this because so if when while where but than not no nor or and as there what why how to by into about also only just both each every any all some many most much more less few several since until although though after before make made ensure see use uses used using let too however suppose say says think mean means want needs? like get give gives called via very ever good better best bad main first second third last new old usual common simple similar different special other possible correct wrong current default own certain one two three sometimes often"
)
_NOT_IN_A_NAME = re.compile(rf"(?<![\w-]){_NO_NAME}(?![\w-])|n['’]t\b|.\bthe\b|(?-i:\b[A-Z]{{2,}}s\b) ", re.IGNORECASE)
_GENERIC = _any(
    "result reason approach method step problem solution answer goal advantage key device value effect example way difference purpose structure system part rest limit case role file name option argument function program package version user command list string directory variable type format error text code data group kind thing person people time author license work change page question entry"
)
_VAGUE = _any(
    r"the way part kind matter result reason case bug bit lot step choice question member problem issue copy example name fact number trademark form type version author maintainer founder leader writer person good great simple common useful single new free very more less same only default first last next main \w+est"
)
_PROPERTY = _any(
    "gap thickness width depth height diameter radius pitch temperature pressure wavelength frequency voltage resistance resistivity capacitance conductivity mobility concentration density energy power efficiency constant coefficient lifetime brightness ratio resolution yield velocity dose aperture roughness strength mass bandwidth field index"
)
_UNIT = r"(?: ?(?:percent\b|[%°℃ÅΩµμ]|[A-Za-z][\w²³⁻]{0,3}(?![a-z])[\w²³⁻¹⁰·()/µμΩ]*)+)?"
_NUMBER = rf"[±−-]?\d(?:[\d.,]*\d)?(?: ?× ?10[⁻⁺⁰¹²³⁴-⁹]+)?{_UNIT}"
_MEASURE = rf"(?:(?:about|around|nearly|only|typically|usually|limited to) )*{_NUMBER}(?: (?:to|and) {_NUMBER})?"
_COMPARED = "(?:(?:far|much|usually) )?(?:(?:more|less)(?: [a-z]+)?|(?:high|low|larg|small|bigg|fast|slow|thick|thinn|long|short|wid|strong|weak|deep|light|heavi|cheap|hard|soft|dens|bright|saf|easi)er) than"
_COMMON = r"an?|the|copper|gold|iron|silicon|silver|water|light|gallium|double|multiple|single|thin|mass|overlay|solder|micro|hybrid|\w+-[a-z-]+|[a-z]+(?:tion|sion|ment|ness|ity|ing|ance|ence|graphy|logy|ics|ism|al|ous|able|ary|ive|ated|ally|ium)"
_VERB = "has|have|(?:need|require|use|cost|contain|emit|conduct|absorb|fall|switch|account|leave)(?:e?s)?"
_THE_ONE = "that|whose|(?:(?:in|at|after|with|within|through) )?which|(?:pair|stack|sheet|set|group|sequence|matrix) of"
_WHAT = f"(?P<what>(?:(?!with)[a-z-]+ ){{0,3}}{_PROPERTY})"
_FACTS = (  # "A wire is 2 m long" speaks of one wire, but the question would ask about all: such names have no "a"
    (rf"(?P<name>(?!.*\ban? )[^,]*?{_PROPERTY} of [^,]+?) is {_MEASURE}(?=$|,| at )", "What is {name}?"),
    (rf"(?P<name>[^,]*?{_PROPERTY} of [^,]+?) can reach {_MEASURE}(?=$|,| at )", "What value can {name} reach?"),
    (rf"(?!An? )(?P<name>[^,]+?) (?P<verb>has|have) (?:an? )?{_WHAT} of {_MEASURE}", "What {what} {do} {name} have?"),
    (rf"(?!An? )(?P<name>[^,]+?) are {_MEASURE} (?P<what>thick|wide|long|deep|high)(?=$|,)", "How {what} are {name}?"),
    (r"(?P<name>[^,]+?) (?P<verb>is|are) made of [^,\d]{4,}$", "What {verb} {name} made of?"),
    (r"(?P<name>[^,]+?) (?P<verb>consists?) of [^\d]{4,}$", "What {do} {name} consist of?"),
    (r"(?P<name>[^,]+?) can cause [^,]+$", "What can {name} cause?"),
)


def questions(sentence: str) -> Iterator[Question]:
    """Questions, with their type and answer, for a sentence on one line; none if it points outside itself."""
    body = sentence.rstrip(" .;!")
    plain = len(body.split()) <= 50 and re.match(r"[A-Z]", body) and not re.search('["“”?:!]', body)
    if plain and not _POINTS_OUTSIDE.search(body):
        for kind, question in (*_definition(body), *_reason(body), *_comparison(body), *_facts(body)):
            if not _POINTS_BACK.search(question):
                yield kind, question, f"{body}."


def is_name(text: str) -> bool:
    """True for a noun phrase that names something by itself, as far as its form shows."""
    first, *others = text.lower().split()
    return (
        len(others) < 12
        and re.fullmatch(r"[A-Za-z0-9][\w’'./·²³µ° -]*\w", text) is not None
        and not _NOT_IN_A_NAME.search(text)
        and not re.fullmatch(rf"(?:an? |the )?{_GENERIC}s?", text, re.IGNORECASE)
        and not (others and re.search("^(?:for|in|on|at|with|from|of|between|under|over)$|ing$", first))
        and not (others and re.fullmatch("the|an?|of|for|in|on|at|with|from|between", others[-1]))
        and (first != "the" or " of " in text)
    )


def lowered(name: str, *, plural: bool = False) -> str:
    """The name inside a sentence. A first word that may be a proper noun keeps its capital."""
    first, space, rest = name.partition(" ")
    common = re.fullmatch(_COMMON, first.lower()) or (plural and first.endswith("s"))
    return first.lower() + space + rest if common and re.fullmatch("[A-Z][a-z]*(?:-[a-z]+)*", first) else name


def _definition(body: str) -> Iterator[tuple[str, str]]:
    match = re.match(
        r"(?P<name>[^,]+?)(?:, (?:also|often|sometimes) (?:called|known as) [\w -]+,)? is (?:an?|the) "
        rf"(?:(?!{_VAGUE}\b)[\w/-]+ ){{1,6}}?(?:{_THE_ONE})\b.{{8,}}$",
        body,
    )
    if match and is_name(match["name"]) and not re.search(" [a-z]+[^sui]s$", match["name"]):
        yield "factual", f"What is {lowered(match['name'])}?"


def _reason(body: str) -> Iterator[tuple[str, str]]:
    """Why …? for "A because B", "Because B, A" and "B, so A"."""
    found = (
        re.match(r"(?P<effect>[^,;]+),? because (?!of\b)[^;]+$", body)
        or re.match(r"Because (?!of\b)[^,;]+, (?P<effect>[^,;]+)$", body)
        or re.match(r"[^;]{12,}?, so (?!that\b|far\b|as\b|to\b)(?P<effect>[^,;]+)$", body)
    )
    effect = found["effect"] if found else ""
    match = re.match(
        rf"(?P<name>.+?) (?:(?P<be>is|are|was|were|can|must|should)|(?P<verb>{_VERB})) (?P<rest>.+)$", effect
    )
    narrowed = re.search(r"\b(?:if|unless|when|that|which|who|only|just|simply|mainly|also)\b|[()]", effect)
    vague = match and re.fullmatch(r"(?:\w+ )?(?:\w+ed|necessary)", match["rest"])  # "friction can be ignored": where?
    if match and is_name(match["name"]) and not narrowed and not vague:
        asked = match["be"] or _do(match["verb"])
        verb = f" {_base(match['verb'])}" if match["verb"] else ""
        name = lowered(match["name"], plural=asked in ("are", "were", "do"))
        yield "reasoning", f"Why {asked} {name}{verb} {match['rest']}?"


def _comparison(body: str) -> Iterator[tuple[str, str]]:
    match = re.match(
        rf"(?P<one>[^,]+?) (?P<verb>is|are|costs?|switches) {_COMPARED} (?P<other>[^,\d]+?)(?:,? because |, but |$)",
        body,
    )
    if match and is_name(match["one"]) and is_name(match["other"]):
        do = _do(match["verb"])
        yield "comparative", f"How {do} {lowered(match['one'], plural=do == 'do')} compare with {match['other']}?"


def _facts(body: str) -> Iterator[tuple[str, str]]:
    for pattern, question in _FACTS:
        if (match := re.match(pattern, body)) and is_name(match["name"]):
            verb = match.groupdict().get("verb", "are")
            parts = {"name": lowered(match["name"], plural=not verb.endswith("s")), "do": _do(verb)}
            yield "factual", question.format(**match.groupdict() | parts)


def _do(verb: str) -> str:
    """The form of "do" that asks for a verb: "does" for "is" and "costs", "do" for "are" and "cost"."""
    return "does" if verb.endswith("s") else "do"


def _base(verb: str) -> str:
    """The infinitive of a verb of these rules."""
    return "have" if verb == "has" else re.sub("(?<=ch)es$|s$", "", verb)
