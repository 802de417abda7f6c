"""Chinese numbers in words, and words around numbers."""

import re
from collections.abc import Iterator

from languages.language import Quantities

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"万": 10**4, "亿": 10**8}
_DENOMINATORS = {"十万": 1e5, "百万": 1e6, "亿": 1e8, "百": 100.0, "千": 1000.0, "万": 10000.0}
_FRACTION = re.compile(
    r"(百万|十万|亿|百|千|万|[二三四五六七八九十]+)分之([零〇一二两三四五六七八九十百千点]+|\d+(?:\.\d+)?)"
)
_HALF = re.compile("一半|减半|半(?=年|小时|个)")
_AND_HALF_MORE = re.compile(r"(?P<count>[一二两三四五六七八九十]+|\d+)(?P<unit>个?(?:小时|[年月天周圈倍]))半")


def chinese_number(text: str) -> float:
    """The value of a number in characters: 三千五百 is 3500.0."""
    whole, _, decimals = text.partition("点")
    fraction = float("0." + "".join(str(_DIGITS[c]) for c in decimals)) if decimals else 0.0
    if not any(c in _UNITS or c in _GROUPS for c in whole):
        return float("".join(str(_DIGITS[c]) for c in whole)) + fraction
    total = section = digit = 0
    for c in whole:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[c], 0
        else:
            total, section, digit = (total + section + digit or 1) * _GROUPS[c], 0, 0
    return total + section + digit + fraction


def _fractions(text: str) -> Iterator[tuple[float, float, int, int]]:
    for match in _FRACTION.finditer(text):
        below = _DENOMINATORS.get(match[1]) or chinese_number(match[1])
        above = float(match[2]) if match[2][0].isdigit() else chinese_number(match[2])
        yield (above / below, 1 / below if below >= 100 else 0.0, *match.span())
    yield from ((0.5, 0.0, *match.span()) for match in _HALF.finditer(text))


def _and_a_half(match: re.Match[str]) -> str:
    count = match["count"]
    return f"{(float(count) if count.isdigit() else chinese_number(count)) + 0.5:g}{match['unit']}"


QUANTITIES = Quantities(
    numeral="[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?",
    value=chinese_number,
    ignored=frozenset(("一", "万", "亿", "千", "百", "零", "十", "一一")),
    multiple="万亿|[万亿]",
    multiples={"万": 1e4, "亿": 1e8, "万亿": 1e12},
    continuing="百千万亿",
    fractions=_fractions,
    halves=((_AND_HALF_MORE, _and_a_half),),
    between="至|到|或|、",
    joining="零|又",
    one="(?<![十百千万第之统])一(?=个?[小分秒天日周月年季世星])",
    below_zero="零下$|负$",
    change="差|升高|上升|降低|下降|提高|升温|降温|温升|温差|每|变化",
    periods={
        "秒": 1.0, "分钟": 60.0, "小时": 3600.0, "天": 86400.0, "日": 86400.0, "周": 604800.0, "星期": 604800.0, "月": 2629800.0,
        "季度": 7889400.0, "年": 31557600.0,
    },
    period_before=r"每个?(秒|分钟|小时|天|日|周|星期|月|季度|年)[^，。；：,;:\d每]{0,8}$",
    year="年",
    about="约|近|大概|差不多",
    each="每",
    counted=r"[个种类条步层片名位款项次块组套台座株家支颗艘][\u4e00-\u9fff]{1,3}|[次名位片台座株家支颗艘套]|[\u4e00-\u9fff]{2,3}",
    one_of="一",
    over="多余",
    power=r"的?平方|的?\d+次方",
    times=r"乘以|乘|的(?=\s?\d+(?:\.\d+)?%|百分之|一半|[一二两三四五六七八九]成)",
    divided="除以",
    plus="加上?",
    minus="减去?",
    equals="约?等于|约?为|即|约?是|得到?|算得",
    before_minus="元年天",
)  # fmt: skip
