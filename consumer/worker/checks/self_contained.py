"""Whether a question can be understood by someone who has not seen the text."""

import re
from collections.abc import Iterator

from languages.language import language_of

_QUOTED = re.compile(r"'[^']{2,60}'(?!\w)|\"[^\"]{2,60}\"|“[^”]{2,60}”")

_NO_WORD_BEFORE = "(?<![基样成版标根日资脚剧课副亏原书抄刻木土人一两几多孤范读])"
_CHINESE = {
    "the text": re.compile(
        rf"{_NO_WORD_BEFORE}本(?:文(?!化|明|件|科|凭)|章|节|段|篇|研究(?!所|院|生)|论文|报告)|(?<![上地])下文(?![献件档物化字])|(?<![以线网晚向])上文(?![献件档物化字])|(?<![目以])前文(?![献件档物化明])|原文(?!件)|上述|前述|前面(?:提到|所述|介绍|说)|"
        rf"{_NO_WORD_BEFORE}本(?:[条款页题例书案图表品课]|项目|法(?!兰|国|线|律|院|官|医)|部分|实验|试验|公司|集团|报告期|协议|合同|办法|规定|条例|标准|发明|产品|系统|装置|方案|模型|方法|工艺|品种)|"
        r"(?:如|综)[上下前]所[述示]|[上下前](?:一[章节段页篇]|[章节页篇])(?!岁|时|课|车|点|能)|"
        r"(?:^|[，,在据从由见])文中|(?<![富纯超])文本[中里]|资料[中里](?!心)|(?:根据|据|依据|按照|结合)(?:给定|所给|提供|以上|上面|该|这|材料(?![的力科性特强类种])|文章|段落|文本|资料|短文)|"
        r"(?:给定|所给)的?(?:文本|材料|段落|内容|信息|上下文|资料)|提供的?(?:文本|段落|上下文)|段落(?:内容|[中里])|(?:该|这|此)(?:段|篇|文|节)|"
        r"以[上下](?:内容|材料|文|信息|说法|描述|关于|哪|选项|各|几)|下列(?!车)|上面提|下面(?:哪|关)|(?:^|[，,在从])[上下]面的|"
        r"^(?:请)?(?:文章|短文)(?:[中里]|的主|主要|介绍|认为|指出)|^材料(?:[中里](?:给|提|介|所|说|列|指|描|认)|主要介绍|介绍|认为|指出)|笔者|(?:^|[，,])作者(?!是谁|权)|这里(?:所|的|说|提)|例子[中里]|该例|如前所述"
    ),
    "a figure, a table or a formula": re.compile(
        r"(?:(?<![试版视意企地])图|(?<![代发仪手电钟])表|公式|(?<![模方形格样款公])式|方程|附录|文献|算法|习题)\s?[（(［\[【]?\d|附录[A-Z一二三四]|(?<![\w])例\s?\d|(?<!》)第[\d.一二三四五六七八九十]+[章节段](?!法|课|时)|[\[［【]\d{1,3}[\]］】]|"
        r"(?:^|[，,如在据从由见该此附上下])[图表][中里所]|[上下附如该此]图(?!案|灵|形|像|书)|[上下附该此]表(?:[中里列所格]|$)"
    ),
}
_CHINESE_POINTING = re.compile(
    r"(?:它们?|(?<!吉)(?<!其)他们?(?![汀励人国乡])|她们?|(?<![尤极与及])其(?![他它中实余次])(?![^，,]{1,12}[，,])|后者|前者|"
    r"(?<![因彼如由从就至])此(?!外|起|岸)|(?<!在)这(?!么|样的?[高低大小强弱])|那(?!么|曲|不勒斯|达慕|霸)|"
    r"当时(?![钟间长效序])|同年(?![级龄])|次年|翌年|同一时期|第[一二三四五两\d]+[种个步类项条点](?:方法|方式|材料|步骤|阶段|工艺|方案|原因|情况|实验|例子|问题|技术|观点|选项|结构|(?=[的是中为应需和与用]))|"
    r"(?:另外?|上|下|前|后)一(?:种|个|步|类|项|阶段)|^(?:此外|另外|除此之外|接下来|接着|然后|随后|还有)|"
    r"(?:(?<=^)|(?<=[，,在对与和从由把被将使用据为中按于请问]))该(?!如何|怎|不该|隐))"
)
_CHINESE_COUNTED = re.compile(
    r"今年|去年|^(?:这|在|上述)?[两二三四五几](?:种|个|者|类|项)(?:方法|材料|器件|结构|方式|工艺|技术|方案|物质|产品|情况|步骤|公司|模式|类型|实验|过程|因素)?(?:中|里|之间|相比|有何|有什么|各|的区别|分别)"
)
_CHINESE_IDLE = re.compile(
    r"什么|哪些|哪[一几]?[个种类项年]?|多少|如何|怎样|怎么|为何|为什么|何时|请问?|说明|解释|简述|描述|主要|具体|通常|一般|大约|应该|需要|"
    r"厚度|温度|范围|压力|时间|长度|宽度|高度|大小|数值|速度|频率|电压|电流|功率|成本|价格|效率|原因|结果|优点|缺点|优势|作用|特点|影响|目的|"
    r"定义|方法|步骤|条件|比例|含量|浓度|寿命|数量|变化|导致|造成|最[大小高低好多少优差快慢早晚]|更[大小高低好多少优差快慢早晚便贵]宜?|其中|控制|参数|结论|意义|主题|内容|观点|措施|建议|例子|样品|应|多大|做|会|能|可以|有|是|的|了|在|为|吗|呢|那么|一下|和|与|对|它|其"
)

_CHINESE_SUBSTANCES = frozenset(
    "硅锗铜铝银金铁锡铅锌氢氧氮氦氖氩氟氯溴碘碳硫磷硼砷钨钛钽钴镍铂钯铟镓钼铬锰镁钙钠钾锂铀水冰光酒茶盐糖纸钢玻电"
)
"""Things with names of one character."""

_NOUN = r"(?:passage|text|excerpt|paragraph|article|author|authors|context|snippet|document|paper|study|section|chapter|figure|diagram|table|chart|graph|report|source|material|image)"
_ENGLISH = {
    "the text": re.compile(
        rf"\b(?:[Tt]his|[Tt]hese|above|given|provided|following) {_NOUN}s?\b|"
        r"\b[Tt]he (?:text|passage|excerpt|paragraph|snippet|article|authors?|writers?|context|document|paper|study|report|lecture|speaker|presenter)"
        r"(?= (?:say|state|describe|mention|propose|conclude|show|report|discuss|suggest|argue|cover|present|explain|use|define|claim|recommend|do|give|list|mean|refer|find|reveal|point|compare|warn|reject|prefer|call|tell|offer|provide|identify|highlight)s?\b|"
        r"[,?]|$| (?:about|above|below|that)\b)(?<!\bto the paper)(?<!\bon the paper)(?<!\bof the paper)|"
        r"\b[Aa]ccording to the (?:source|speaker|researchers|scientists|narrator|lecturer)\b|"
        r"\b[Tt]he (?:authors?|writer|narrator|researchers|investigators|presenter)\b(?! (?:of|who|that|behind|whose|at|in|from)\b)|"
        r"\b(?:previous|preceding|next|following|above) (?:section|chapter|page|figure|table|example|sentence|slide|part)\b|"
        r"\b[Tt]he (?:proposed|presented|current|present) (?:method|approach|technique|scheme|device|model|system|work|study|solution|algorithm|design)\b|"
        r"\bthe (?:[\w-]+ )?(?!(?:is|are|was|were|be|been|being|not|first|often|also) )[\w-]+ (?:described|mentioned|discussed|listed|presented|outlined|cited|stated|proposed|examined)(?=\s*[?.,]|$)|"
        r"\b(?:the|this) (?:trial|study|experiment|survey|lecture|talk|video|example)(?=\s*[?,.]|$)|\bunderlined\b|\bhere(?=\s*[?,.]|$)|"
        r"\b(?:first|second|third|last|next|previous) paragraph\b|\bin the (?:excerpt|passage|text)\b(?! (?:editor|field|box|message|file|mode|of)\b)|"
        r"\b(?:described|mentioned|shown|given|listed|discussed|stated|noted|defined)(?: (?:here|above|below|earlier|previously))\b|"
        r"\b(?:[Aa]s|previously|earlier) (?:mentioned|described|stated|noted|discussed|shown)\b|\baforementioned\b|"
        r"\b[Tt]he above\b(?!-)|\bthe (?:given|provided) \w+|\binformation (?:given|provided)\b|"
        r"\b(?:of|are) the following\b|\bthe following (?:is|are|statements?|options?|terms?|list)\b|"
        r"\bthe (?:two|three|four|several) \w+ (?:described|mentioned|discussed|listed)\b"
    ),
    "a figure, a table or a formula": re.compile(
        r"\b(?:(?<!a )[Ff]ig(?:ure|s?\.)?|[Tt]ab(?:le|\.)|[Ee]q(?:uation|s?\.)?|[Dd]iagram|[Rr]ef(?:erence|s?\.)|[Ee]xample|[Ll]isting)\s?[\[(]?\d|\bAppendix [A-Z\d]\b|\[\d{1,3}\]|"
        r"\b[Pp]age \d|\b(?:figure|diagram|chart|graph|image|picture|plot|illustration) (?:above|below|shows?|illustrates?|depicts?|indicates?)\b|"
        r"\b(?:[Ss]ection|[Cc]hapter|[Pp]aragraph)\s?\d[\d.]*(?![\d.]| (?:of|bankruptcy))|"
        r"\b(?:shown|depicted|seen|illustrated|in) (?:in )?the (?:figure|diagram|table|chart|graph|image|picture|plot)\b(?=\s*[?,.;:]|$| (?:above|below|what|which|where|how|why|is|are|to the)\b)"
    ),
}
_ENGLISH_POINTING = re.compile(
    r"\b(?:[Ii]t|[Ii]ts(?![\w -]{1,30},)|[Tt]hey|[Tt]hem|[Tt]heir(?![\w -]{1,30},)|(?:^He|he)(?!-)|[Hh]is|[Ss]he|[Hh]er|[Tt]his|[Tt]hese(?! days)|[Tt]hose(?! with| who| of| that| which| in)|[Ss]uch(?! as| that| (?:an? )?[\w-]+ as)|the latter|the former|"
    r"(?:which|what) (?:one )?of the (?:two|three|four)|the (?:two|three|four)(?=\s*[?,.]|$| (?:compare|differ|relate)|\s(?:methods|materials|approaches|techniques|devices|processes|types|steps|cases|groups)\b(?! of| in| for| that))|"
    r"[Tt]he (?:company|firm|device|method|approach|technique|process|team|product|agreement|project|parameter)(?='s| (?!of|for|that|which|in|used|called|known|with|to|named|by|on|under|between|[^\Wa-z])|\s*[?,.]|$)|"
    r"(?:the (?:other|first|second|third|last|next|previous)|another) (?:method|approach|technique|material|process|step|reason|option|one|example|case|device|stage)(?! of| in| for| to| that| [a-z]))\b|"
    r"(?:(?<=does )|(?<=is )|(?<=did )|(?<=do )|(?<=can )|(?<=was )|(?<=will )|^)[Tt]hat\b(?! \w+ (?:of|which|that|who)\b)"
)
_ENGLISH_ALWAYS = re.compile(
    r"\bthis one\b|\b(?:in|at|by|since|during) (?:that|such an?) (?:year|time|case|point|moment)\b", re.IGNORECASE
)
_OPTIONS = re.compile(
    r"(?:[:：]|\bof the (?:two|three|four|following),).*\w\s*(?:[、,，]|\bor\b|\band\b|还是|或|和)\s*\w"
)
"""What is given to choose from."""
_CHOICE = re.compile(
    r"\b(?:of the (?:two|three|four)|of the following|of these|of those|the following)\b|以下|下列|下面|上面",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|does|did|will|would|can) it (?!used|made|called|needed)(?:(?:so|more|less|very|not|often) )*\w+ (?:to|that|for|when|if)\b|\bdoes it (?:take|cost)\b(?=.* to )|"
    r"\bit (?:is|was) (?:\w+ ){1,2}(?:to|that)\b|\b(?:is|was) it that\b|"
    r"\bit (?:\w+ )?(?:possible|impossible|necessary|important|difficult|hard|easy|easier|legal|illegal|safe|common|useful|advisable|true|likely|sufficient|"
    r"essential|desirable|harmful|dangerous|allowed|crucial|helpful|feasible|worthwhile|matters?)(?= (?:to|that|for|when|if|in|under|whether|how)\b)",
    re.IGNORECASE,
)
_ENGLISH_IDLE = frozenset(
    "what which who whom whose why how when where is are was were do does did can could will would should must may might has have had be been "
    "the a an of in on at by for from to with and or as many much long high low large big far often main first second two three same new "
    "thickness temperature range pressure time length width height size value speed frequency voltage current power cost price efficiency reason "
    "cause result results advantage advantages disadvantage purpose role effect effects definition method methods step steps condition conditions "
    "ratio lifetime number change changes happen happens happened need needs difference important used use done called work works mean means happens "
    "better best worse worst faster cheaper higher lower larger smaller more less most least next else there then now required maximum minimum average "
    "typical value values parameter parameters meaning total amount level result outcome conclusion point idea topic subject theme occur occurs one ones thing things "
    "among about only explain describe please affect affects achieved under during after before".split()
)
_ENGLISH_WORD = re.compile(r"[A-Za-z][\w'’-]*")


def pointing(question: str) -> Iterator[str]:
    """What the question points at outside itself, with the words that do."""
    rules = _chinese if language_of(question) == "zh" else _english
    question = _QUOTED.sub(lambda match: "X" * len(match[0]), question)
    yield from rules(_CHOICE.sub(" ", question) if _OPTIONS.search(question) else question)


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
    left = "".join(re.findall(r"\w", _CHINESE_IDLE.sub("", text)))
    return len(left) >= 2 or left in _CHINESE_SUBSTANCES


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
