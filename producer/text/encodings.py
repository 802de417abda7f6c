"""Detection of an encoding. A guess must look like real text; strict decoding then proves it on the whole file."""

import codecs

SAMPLE_BYTES = 64 * 1024
GB18030, BIG5 = "gb18030", "big5hkscs"
_SCORED = 4000
"""Number of characters outside ASCII that are scored: enough to decide, and quick."""
_PLAUSIBLE = 0.7
_ENOUGH_FOR_WORDS, _WORDS = 150, 0.08
_SYMBOLS = (0xA1, 0xA2, 0xA3, 0xA6)
"""Lead bytes of the rows of GB 2312 with punctuation, numbers, full-width forms and Greek."""
_FREQUENT = frozenset(
    "的一是不了在有人我他这這中大来來上国國个個们們到说說为為子和你地出道也时時年得就那要下以生会會自着著去之过過家学學对對可她里裡"
    "后後小么麼心多天而能好都然没沒日于於起还還发發成事只作当當想看文无無开開手用主行方又如前所本见見经經头頭面公同已从從动動两兩"
    "长長与與及其将將由等高体體电電分性相合机機器材料度化法力量定式加入外内內部件工程技术術"
)


def detect(sample: bytes, *, complete: bool) -> str | None:
    """The name of the encoding of `sample`, which begins with a byte outside ASCII; None if no encoding is plausible.

    UTF-8 is taken wherever it is valid, otherwise GB18030 or Big5, whichever gives more common characters. Both decode
    nearly any bytes of even length: text in Windows-1252 or EUC-KR would come out as rare or meaningless hanzi.
    """
    if _decoded(sample, "utf-8", complete=complete) is not None:
        return "utf-8"
    scores = {name: _score(_decoded(sample, name, complete=complete), name) for name in (GB18030, BIG5)}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= _PLAUSIBLE else None


def _decoded(sample: bytes, encoding: str, *, complete: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(sample, final=complete)
    except UnicodeDecodeError:
        return None


def _score(text: str | None, encoding: str) -> float:
    """The share of common characters, 0 to 1; 0 for a long sample with hardly any of the most frequent ones."""
    if text is None:
        return 0.0
    foreign = [c for c in text if not c.isascii()][:_SCORED]
    words = sum(c in _FREQUENT for c in foreign)
    if not foreign or (len(foreign) >= _ENOUGH_FOR_WORDS and words < _WORDS * len(foreign)):
        return 0.0
    return sum(_common(c, encoding) for c in foreign) / len(foreign)


def _common(char: str, encoding: str) -> bool:
    """True for punctuation, full-width forms and common hanzi, which the standards gave lead bytes of their own."""
    data = char.encode(encoding)
    if len(data) != 2:
        return False
    lead, trail = data
    if encoding == BIG5:
        return 0xA1 <= lead <= 0xC6
    return trail >= 0xA1 and (0xB0 <= lead <= 0xD7 or lead in _SYMBOLS)
