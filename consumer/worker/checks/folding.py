"""Folding: a text without the width, spaces, punctuation and case that a quotation may change.

Every character keeps its place in the original. Everything that can change a quantity stays: decimal points, signs (as
−, other dashes as -), exponents, per cent, ratios, and the case of units.
"""

import re
import unicodedata
from dataclasses import dataclass

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_KEPT = frozenset("%‰°+<>=≤≥≠/~$€£¥±×")
_DASHES = frozenset("−–—‐‑‒―﹣－")
_TILDES = frozenset("～〜∼")
_NO_GAP = frozenset("'’ʼ‘^")
_HYPHENATED = re.compile(r"(?<=[A-Za-z])-[ \t]*\r?\n[ \t]*(?=[a-z])")
_COMBINING = "\u0300-\u036f\u3099\u309a"
_PIECE = re.compile(f"(?P<ordinary>[\\t-~\u3400-\u9fff]+(?![{_COMBINING}]))|.[{_COMBINING}]*", re.DOTALL)
_RUN = re.compile(r"(?P<run>[^\W_xX]+)|.", re.DOTALL)
_GROUP = re.compile(r"\d{3}(?!\d)")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. Character i of `text` is `original[starts[i]:ends[i]]`."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def fold(text: str, *, joined: bool = True) -> Folded:
    """Fold a text. With `joined` a word that is hyphenated at the end of a line is one word, not two."""
    normal = _normalised(text, joined=joined)
    characters: list[str] = []
    places: list[int] = []
    last, gap = "", ""
    for match in _RUN.finditer(normal.text):
        run, at = match[0], match.start()
        shown = run if match["run"] else _shown(normal.text, at, last, gap)
        if not shown:
            gap += run if run not in _NO_GAP else ""
            continue
        if gap and _apart(normal.text, at, last, gap):
            characters.append(" ")
            places.append(at)
        characters.extend(shown)
        places.extend(range(at, at + len(run)))
        last, gap = shown[-1], ""
    starts, ends = normal.starts, normal.ends
    folded = _without_case("".join(characters))
    return Folded(folded, tuple(starts[at] for at in places), tuple(ends[at] for at in places))


def is_hyphenated(text: str) -> bool:
    """True when `joined` makes a difference for this text."""
    return _HYPHENATED.search(text) is not None


def is_latin(character: str) -> bool:
    """True for a letter of a script with spaces between words."""
    return character.isalpha() and character < "\u2e80"


def _normalised(text: str, *, joined: bool) -> Folded:
    """The text in one form and width. A character may become several characters, or none."""
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for piece in _PIECE.finditer(text):
        begin, end = piece.span()
        if piece["ordinary"]:
            characters.extend(piece[0])
            starts.extend(range(begin, end))
            ends.extend(range(begin + 1, end + 1))
        else:
            shown = _normal(piece[0], text[begin - 1 : begin])
            characters.extend(shown)
            starts.extend([begin] * len(shown))
            ends.extend([end] * len(shown))
    if joined:
        for match in reversed([*_HYPHENATED.finditer("".join(characters))]):
            for column in (characters, starts, ends):
                del column[match.start() : match.end()]
    return Folded("".join(characters), tuple(starts), tuple(ends))


def _normal(cluster: str, before: str) -> str:
    if cluster in _SUPERSCRIPTS:
        power = before.isdigit() and before not in _SUPERSCRIPTS
        return "^" * power + _SUPERSCRIPTS[cluster]
    if cluster in _DASHES:
        return "-"
    if cluster in _TILDES:
        return "~"
    return "".join(c for c in unicodedata.normalize("NFKC", cluster) if unicodedata.category(c) != "Cf")


def _shown(text: str, at: int, last: str, gap: str) -> str:  # noqa: PLR0911 - one return for each kind of character
    """The folded form of a character that is neither letter nor digit; empty if it is dropped."""
    character = text[at]
    following = text[at + 1 : at + 6].lstrip()[:1]
    digit_follows, between = following.isdigit(), last.isdigit() and following.isdigit()
    match character:
        case "." | ",":
            decimal = last.isdigit() and not gap and text[at + 1 : at + 2].isdigit()
            return character if decimal and not (character == "," and _GROUP.match(text, at + 1)) else ""
        case ":" | "∶":
            return ":" if between else ""
        case "^":
            return "^" if last.isdigit() else ""
        case "-":
            signs = text[at + 1 : at + 2].isdigit() and (gap != "" or not (_ends_quantity(last) or last == "°"))
            return "" if not digit_follows else "−" if signs else "-"
        case "~":
            return "" if not digit_follows else "-" if _ends_quantity(last) else "~"
        case "*" | "x" | "X":
            return "×" if between else character.strip("*")
        case _:
            return character if character in _KEPT else ""


def _ends_quantity(last: str) -> bool:
    return last.isdigit() or last == "%" or is_latin(last)


def _apart(text: str, at: int, last: str, gap: str) -> bool:
    """True when a space must separate two words or numbers."""
    first = text[at]
    if last.isdigit() and first.isdigit():
        return not _GROUP.match(text, at)
    if last.isdigit() and is_latin(first):
        return any(c in ".!?;" for c in gap)
    return is_latin(last) and is_latin(first)


_WORD = re.compile(r"(?P<digits>\d)?(?P<word>[^\W\d_\u2e80-\u9fff]+)")


def _without_case(folded: str) -> str:
    """The text in lower case, except for words that may be units: those after a number or with capitals inside."""

    def lower(match: re.Match[str]) -> str:
        word = match["word"]
        capitals = word.isupper() and (len(word) > 2 or not match["digits"])
        kept = not capitals and (match["digits"] or not (word[1:].islower() or word.islower()))
        return match[0] if kept or len(word.lower()) != len(word) else match[0].lower()

    return _WORD.sub(lower, folded)
