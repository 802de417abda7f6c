"""Whether a question can be understood by someone who has not seen the text."""

import re
from collections.abc import Iterator

from consumer.worker.checks.language import language_of

_QUOTED = re.compile(r"'[^']{2,60}'(?!\w)|\"[^\"]{2,60}\"|“[^”]{2,60}”")

_CHINESE = {
    "the text": re.compile(
        r"(?<!基)本(?:文(?!化|明|件|科|凭)|章|节|段|篇|研究(?!所|院|生)|论文|报告)|上文|下文|前文|原文|上述|前述|前面(?:提到|所述|介绍|说)|"
        r"(?:^|[，,在据从由见])文中|文本[中里]|资料[中里]|(?:根据|据|依据|按照|结合)(?:给定|所给|提供|以上|上面|该|这|材料|文章|段落|文本|资料|短文)|"
        r"(?:给定|所给|提供)的?(?:文本|材料|段落|内容|信息|上下文|资料)|段落(?:内容|[中里])|(?:该|这|此)(?:段|篇|文|节)|"
        r"以[上下](?:内容|材料|文|信息|说法|描述|关于|哪|选项|各|几)|下列(?!车)|上面(?:的|提)|下面(?:的|哪|关)|"
        r"^(?:请)?(?:材料|文章|短文)(?:[中里]|的主|主要|介绍|认为|指出)|笔者|(?:^|[，,])作者(?!是谁)|这里(?:所|的|说|提)|例子[中里]|该例|如前所述"
    ),
    "a figure, a table or a formula": re.compile(
        r"(?:图|表|公式|式|方程|附录)\s?[（(]?\d|第[\d一二三四五六七八九十]+[章节段](?!法)|"
        r"(?:^|[，,如在据从由见该此附上下])[图表][中里所]|[上下附如该此]图(?!案|灵|形|像|书)|[上下附该此]表(?:[中里列所格]|$)"
    ),
}
_CHINESE_POINTING = re.compile(
    r"(?:它们?|(?<!吉)(?<!其)他们?(?![汀励])|她们?|(?<![尤极与及])其(?![他它中实余次])|后者|前者|"
    r"(?<![因彼如由从就至])此(?!外|起)|(?<!在)这(?!么)|那(?!么|曲)|"
    r"(?:(?<=^)|(?<=[，,在对与和从由把被将使用据为中按于请问]))该(?!如何|怎|不该))"
)
_CHINESE_COUNTED = re.compile(
    r"^(?:这|在|上述)?[两二三四五几](?:种|个|者|类|项)[^，,]{0,6}(?:中|里|之间|相比|有何|有什么|各|的区别|分别)"
)
_CHINESE_IDLE = re.compile(
    r"什么|哪些|哪[一几]?[个种类项年]?|多少|如何|怎样|怎么|为何|为什么|何时|请问?|说明|解释|简述|描述|主要|具体|通常|一般|大约|应该|需要|"
    r"厚度|温度|范围|压力|时间|长度|宽度|高度|大小|数值|速度|频率|电压|电流|功率|成本|价格|效率|原因|结果|优点|缺点|优势|作用|特点|影响|目的|"
    r"定义|方法|步骤|条件|比例|含量|浓度|寿命|数量|变化|导致|造成|做|会|能|可以|有|是|的|了|在|为|吗|呢|那么|一下|和|与|对|它|其"
)

_NOUN = r"(?:passage|text|excerpt|paragraph|article|author|authors|context|snippet|document|paper|study|section|chapter|figure|diagram|table|chart|graph|report|source|material|image)"
_ENGLISH = {
    "the text": re.compile(
        rf"\b(?:[Tt]his|[Tt]hese|above|given|provided|following) {_NOUN}s?\b|"
        r"\b[Tt]he (?:text|passage|excerpt|paragraph|snippet|article|authors?|context|document|paper|study|report|source)"
        r"(?= (?:say|state|describe|mention|propose|conclude|show|report|discuss|suggest|argue|cover|present|explain|use|define|claim|recommend|do|give|list)s?\b|"
        r"[,?]|$| (?:do|does|did|about|above|below|that)\b)|"
        r"\b(?:first|second|third|last|next|previous) paragraph\b|\bin the (?:excerpt|passage|text)\b|"
        r"\b(?:described|mentioned|shown|given|listed|discussed|stated|noted|defined)(?: (?:here|above|below|earlier|previously))\b|"
        r"\b(?:[Aa]s|previously|earlier) (?:mentioned|described|stated|noted|discussed|shown)\b|\baforementioned\b|"
        r"\b[Tt]he above\b(?!-)|\bthe (?:given|provided) \w+|\binformation (?:given|provided)\b|"
        r"\b(?:of|are) the following\b|\bthe following (?:is|are|statements?|options?|terms?|list)\b|"
        r"\bthe (?:two|three|four|several) \w+ (?:described|mentioned|discussed|listed)\b"
    ),
    "a figure, a table or a formula": re.compile(
        r"\b(?:[Ff]ig(?:ure|s?\.)?|[Tt]ab(?:le|\.)|[Ee]q(?:uation|s?\.)?|[Dd]iagram|[Aa]ppendix)\s?\(?\d|"
        r"\b(?:[Ss]ection|[Cc]hapter|[Pp]aragraph)\s?\d[\d.]*(?![\d.]| (?:of|bankruptcy))|"
        r"\b(?:shown|depicted|seen|illustrated|in) (?:in )?the (?:figure|diagram|table|chart|graph|image|picture|plot)\b(?! of)"
    ),
}
_ENGLISH_POINTING = re.compile(
    r"\b(?:[Ii]t|[Ii]ts|[Tt]hey|[Tt]hem|[Tt]heir|[Hh]e|[Hh]is|[Ss]he|[Hh]er|[Tt]his|[Tt]hese|[Tt]hose|[Ss]uch(?! as)|the latter|the former)\b|"
    r"(?:(?<=does )|(?<=is )|(?<=did )|(?<=do )|(?<=can )|(?<=was )|(?<=will )|^)[Tt]hat\b"
)
_ENGLISH_ALWAYS = re.compile(
    r"\bthis one\b|\b(?:which|what) (?:one )?of (?:the|these) (?:two|three|four)\b", re.IGNORECASE
)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|does|did|will|would|can) it (?!used|made|called|needed)(?:(?:so|more|less|very|not|often) )*\w+ (?:to|that|for|when|if)\b|\bdoes it (?:take|cost)\b|"
    r"\bit (?:is|was) (?:\w+ ){1,2}(?:to|that)\b",
    re.IGNORECASE,
)
_ENGLISH_IDLE = frozenset(
    "what which who whom whose why how when where is are was were do does did can could will would should must may might has have had be been "
    "the a an of in on at by for from to with and or as many much long high low large big far often main first second two three same new "
    "thickness temperature range pressure time length width height size value speed frequency voltage current power cost price efficiency reason "
    "cause result results advantage advantages disadvantage purpose role effect effects definition method methods step steps condition conditions "
    "ratio lifetime number change changes happen happens happened need needs difference important used use done called work works mean means happens "
    "explain describe please affect affects achieved under during after before".split()
)
_ENGLISH_WORD = re.compile(r"[A-Za-z][\w'’-]*")


def pointing(question: str) -> Iterator[str]:
    """What the question points at outside itself, with the words that do."""
    rules = _chinese if language_of(question) == "zh" else _english
    yield from rules(_QUOTED.sub(lambda match: "X" * len(match[0]), question))


def _chinese(question: str) -> Iterator[str]:
    yield from _phrases(question, _CHINESE)
    for match in _CHINESE_POINTING.finditer(question):
        if not _names_something(question[: match.start()]):
            yield f"points back: {match[0]}"
    if counted := _CHINESE_COUNTED.search(question):
        yield f"points back: {counted[0]}"
    if not _names_something(question):
        yield "names nothing"


def _names_something(text: str) -> bool:
    return len(re.findall(r"[\w]", _CHINESE_IDLE.sub("", text))) >= 2


def _english(question: str) -> Iterator[str]:
    yield from _phrases(question, _ENGLISH)
    if always := _ENGLISH_ALWAYS.search(question):
        yield f"points back: {always[0]}"
    without = _EXPLETIVE.sub(lambda match: " " * len(match[0]) if "it" in match[0].lower() else match[0], question)
    for match in _ENGLISH_POINTING.finditer(without):
        if not _has_content(question[: match.start()]):
            yield f"points back: {match[0]}"
    if not _has_content(question):
        yield "names nothing"


def _has_content(text: str) -> bool:
    return any(word.lower() not in _ENGLISH_IDLE for word in _ENGLISH_WORD.findall(text))


def _phrases(question: str, phrases: dict[str, re.Pattern[str]]) -> Iterator[str]:
    for what, pattern in phrases.items():
        if match := pattern.search(question):
            yield f"speaks of {what}: {match[0].strip('，, ')}"
