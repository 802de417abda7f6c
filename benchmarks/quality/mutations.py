"""Quotes made from true quotes of the sample texts: half of them still occur in the text, half do not."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from producer.text.splitting import Sizes, split
from server.embedded.sentences import sentences

TEXTS = Path(__file__).parents[2] / "data" / "texts"
_WIDE = str.maketrans("0123456789,:;()%", "０１２３４５６７８９，：；（）％")
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_NARROW = str.maketrans("，：；（）％“”", ',:;()%""')
_UNITS = {
    "nm": "μm",
    "μm": "nm",
    "eV": "keV",
    "V": "mV",
    "℃": "K",
    "percent": "per mille",
    "%": "‰",
    "µm": "nm",
    "Hz": "kHz",
}


@dataclass(frozen=True, slots=True)
class Mutation:
    text: str
    original: str
    quote: str
    good: bool
    kind: str


def mutations(count: int, seed: int) -> list[Mutation]:
    """A number of mutations, true and false ones in turn."""
    choose = random.Random(seed)
    chunks = [(text, whole) for text in _chunks() if (whole := [s for s in sentences(text) if len(_words(s)) > 3])]
    made: list[Mutation] = []
    while len(made) < count:
        text, whole = choose.choice(chunks)
        original, good = choose.choice(whole), len(made) % 2 == 0
        name, change = choose.choice(sorted((TRUE if good else FALSE).items()))
        quote = change(original, choose)
        if quote != original and (good or name == "point dropped" or _letters(quote) not in _letters(text)):
            made.append(Mutation(text, original, quote, good, name))
    return made


def _chunks() -> Iterator[str]:
    for path in sorted(TEXTS.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            try:
                text = data.decode()
            except UnicodeDecodeError:
                text = data.decode("gb18030")
            yield from (piece.text for piece in split([text], Sizes(size=2000)))


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _line_broken(quote: str, choose: random.Random) -> str:
    spaces = [m.start() for m in re.finditer(r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])| ", quote)]
    at = choose.choice(spaces)
    return quote[:at] + "\n" + quote[at:].lstrip(" ")


def _spaced(quote: str, _: random.Random) -> str:
    return re.sub(r"(?<=[\u4e00-\u9fff])(?=\d)|(?<=\d)(?=[\u4e00-\u9fff])|(?<=[，。；])", " ", quote)


def _digit_changed(quote: str, choose: random.Random) -> str:
    places = [m.start() for m in re.finditer(r"\d", quote)]
    if not places:
        return quote
    at = choose.choice(places)
    return quote[:at] + str((int(quote[at]) + choose.randint(1, 9)) % 10) + quote[at + 1 :]


def _words(quote: str) -> list[str]:
    return re.findall(r"[\u4e00-\u9fff]|[^\u4e00-\u9fff\s]+\s*|\s+", quote)


def _word_dropped(quote: str, choose: random.Random) -> str:
    parts = _words(quote)
    del parts[choose.randrange(1, len(parts) - 1)]
    return "".join(parts)


def _words_swapped(quote: str, choose: random.Random) -> str:
    parts = _words(quote)
    at = choose.randrange(len(parts) - 2)
    parts[at : at + 2] = reversed(parts[at : at + 2])
    return "".join(parts)


def _negated(quote: str, choose: random.Random) -> str:
    parts = _words(quote)
    chinese = bool(re.search("[\u4e00-\u9fff]", quote))
    parts.insert(choose.randrange(1, len(parts) - 1), "不" if chinese else "not ")
    return "".join(parts)


def _unit_changed(quote: str, choose: random.Random) -> str:
    found = list(re.finditer(r"(?<=\d) ?(nm|μm|µm|eV|V|℃|percent|%|Hz)(?![A-Za-z/·])", quote))
    if not found:
        return quote
    match = choose.choice(found)
    return quote[: match.start(1)] + _UNITS[match[1]] + quote[match.end(1) :]


TRUE: dict[str, Callable[[str, random.Random], str]] = {
    "wide": lambda quote, _: quote.translate(_WIDE),
    "narrow": lambda quote, _: quote.translate(_NARROW),
    "no space before units": lambda quote, _: re.sub(r"(?<=\d) (?=[A-Za-zµμ℃°%Ω])", "", quote),
    "spaces": _spaced,
    "line break": _line_broken,
    "quotation marks": lambda quote, _: f"“{quote}”",
    "ellipsis": lambda quote, _: f"…{quote[:-1]}……",
    "dashes": lambda quote, _: re.sub(r"(?<=\w)-(?=\w)", "–", quote),
    "no full stop": lambda quote, _: quote[:-1],
    "caret": lambda quote, _: _POWER.sub(lambda match: "^" + match[0].translate(_PLAIN), quote),
    "markup": lambda quote, _: re.sub(r"(\w{3,})", r"**\1**", quote, count=1),
}
FALSE: dict[str, Callable[[str, random.Random], str]] = {
    "digit changed": _digit_changed,
    "word dropped": _word_dropped,
    "words swapped": _words_swapped,
    "negated": _negated,
    "unit changed": _unit_changed,
    "point dropped": lambda quote, _: re.sub(r"(?<=\d)\.(?=\d)", "", quote, count=1),
    "joined": lambda quote, _: quote[: len(quote) // 3] + "……" + quote[-(len(quote) // 3) :],
}
