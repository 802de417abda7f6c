"""When two questions ask the same: the same words, but for those that only make it a question.

Not a matter of a share: one number, name or "not" that differs makes another question, however long the rest is.
"""

import re
from collections import Counter
from dataclasses import dataclass

from consumer.worker.checks.quantities import plain, quantities
from languages.words import WORD, stem

_KINDS = {
    "why": re.compile(
        r"为什么|为何|为啥|目的(?:是什么|何在|是为了什么)|为什麼|為什麼|為何|何以|缘何|因何|怎么会|(?:原因|缘由|理由)(?:是什么|有哪些|是哪些|何在|是啥)|(?:什么|哪些|何种)(?:原因|缘由|理由)|[由因](?:什么|哪些|何种?)\w{0,4}?(?:引起|引发|导致|造成)|"
        r"\bwhy\b|\bhow come\b|\b(?:the|what) (?:main |primary |underlying )?(?:reasons?|causes?) (?:for|of|why|that|behind)\b|"
        r"\b(?:for|due to|because of) (?:what|which) reasons?\b|\bwhat (?:causes?|caused)\b|\bwhat (?:is|are|was|were) .*\bcaused by\s*\?|\bby what .*\bcaused\b",
        re.IGNORECASE,
    ),
    "when": re.compile(
        r"何时|何年|什么时候|什么时间|哪一年|哪年|哪一天|几时|\b(?:in|since|during) (?:what|which) year\b|\b(?:at|on) (?:what|which) (?:date|day|point in time)\b|"
        r"\b(?:what|which) year\b|\b(?:under|in) (?:what|which) (?:conditions?|circumstances?)\b|\bwhen(?= (?:was|is|did|does|do|were|will|must|should|can|has|have)\b)",
        re.IGNORECASE,
    ),
    "where": re.compile(
        r"(?<!区别在)(?<!不同在)(?<!差异在)(?<!之处在)(?:哪里|哪儿|何处)|何地|(?<!区别)(?<!不同)(?<!差异)(?<!之处)在哪(?![些个种一几里儿])|什么地方|哪个地方|\bwhere\b|\b(?:in|at) (?:what|which) (?:place|location)\b",
        re.IGNORECASE,
    ),
    "who": re.compile(
        r"谁|哪位|何人|什么人|\bwho(?:m|se)?\b|\b(?:which|what) (?:person|people|persons)\b", re.IGNORECASE
    ),
}
_CAUSE = re.compile(
    r"的?(?:主要)?目的(?=是什么|何在)|的?(?:主要)?(?:原因|缘由|理由)(?:是什么|有哪些|是哪些|何在)|(?:出于|因为|由于|是)?(?:什么|哪些|何种)(?:原因|缘由|理由)(?:使得?|导致|造成)?|"
    r"\b(?:(?:main|primary|underlying) )?(?:reasons?|causes?|caused|happens?|occurs?|arises?|comes? about|how come|due|because)\b",
    re.IGNORECASE,
)
"""What is left out where it is asked why."""
_IS = re.compile(r"(?<=what)'s\b|(?<=who)'s\b|(?<=how)'s\b|(?<=where)'s\b|(?<=why)'s\b", re.IGNORECASE)
_POLITE = re.compile(
    r"(?:能否|可否|能不能|是否可以|可以)请?(?:你|您)?(?=解释|说明|介绍|描述|告诉|简述)|^(?:请问|please tell me:? ?|(?:could|can) you (?:please )?(?:tell me|explain):? ?(?:whether |if )?|do you know )",
    re.IGNORECASE,
)
_WHETHER = re.compile(
    r"^(?!.*(?:还是|\bor\b))(?:.*(?:吗|是否|能否|可否|是不是|能不能|可不可以|有没有|会不会)|(?!(?:can|could|would) you\b)"
    r"(?:is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|had)\b)",
    re.IGNORECASE,
)
_HOW = re.compile(
    r"如何|怎样|怎么|怎麼|多少|几|\bhow (?:do|does|did|is|are|was|were|can|to)\b(?!.*\bdefined\b)|\b(?:in|by) (?:what|which) (?:way|manner)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"什么是|(?<!影响|关系|变化|方法|方式|不同|区别|差异|差别|原理|机制|效果|结果|后果|步骤|条件|过程)是什么|什么叫|定义|^what(?: is|'s| are) (?!the (?:\w+ ){1,2}(?:of|between|on|in|for|from)\b)",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"多少|(?<!哪)几|\b(?:how many|number of)\b", re.IGNORECASE)
_WHICH = re.compile(
    r"(?:(?<!为)什么(?!时候|叫|是|范围|水平|程度|数值)|哪些|哪[一几]?[个种类项](?!范围|数值)|何种)(?=\w)|\bwhich\b(?! (?:percent|share|proportion|fraction|number|amount))",
    re.IGNORECASE,
)
_MEASURES = "个种类项步层点次位天年倍艘台片人座家米公小分秒月"
_CHINESE_FRAME = re.compile(
    r"为什么|為什麼|为何|為何|为啥|何以|缘何|因何|怎么会|什么叫做?|什么时候|什么时间|什么地方|什么样|什么|啥|如何|怎样|怎么样?|怎麼|"
    rf"多少(?:分钟|小时|秒|天|年|元|公里|米)|(?:多少|(?<!哪)几)(?:分钟|小时|公里|摄氏度|纳米|微米|毫米|厘米|毫克|[秒天日年元米度克次倍人]|[{_MEASURES}])(?=\W|$)|多少[名位]?|几(?=[{_MEASURES}])|多大|"
    r"哪[里儿]|哪一?[些个种类项位年天]|哪几[个种类项步层点次位]|哪(?=[一两二三])|何时|何年|何处|何地|何种|何人|何等|(?<![几任如])何(?!况|必)|"
    r"请问|请|试述|概述|论述|指出|写出|说出|简要|说明|解释|简述|描述|介绍|阐述|列举|谈谈|说说|一下|"
    r"定义|含义|意思|大约|通常|一般|具体|需要|必须|应该|应当|可以|能够|能否|可否|是否|是不是|能不能|各自?|分别|指的?是|所指|大概|左右|之间|才能|"
    r"一共|总共|共有|共计|总计|合计|达到?|其中|究竟|到底|主要|进行|的时候|的?(?:情况|情形|条件)下|以及|(?:存)?在于?哪[里儿]|(?<![饱中调总共参])[与和](?!非|门)"
)
_CHINESE_IDLE = frozenset("是用给为由起的了吗呢有约在时先要应该做叫其所会能可被对较个使让令到之就已以得于些须需将把")
_ENGLISH_FRAME = re.compile(
    r"\b(?:can|could|would) you (?:please )?|\bplease\b|\b(?:explain|describe|define|identify|discuss|summari[sz]e|tell me|state|name|give|list|specify|outline|briefly)\b|"
    r"\bwhat is meant by\b|\bwhat does (?=.* mean\b)|\bmeans?\b(?! of)|\b(?:the )?(?:definition|meaning) of\b|\bdefined(?: as)?\b|\btake place\b|\bused to\b|\bis it true that\b|"
    r"\bable to\b|\b(?:in|at) (?:what|which) (?:place|location)\b|\b(?:in|since|during) (?:what|which) year\b|"
    r"\b(?:what|which) year\b|\byear (?=\d)|\b(?:under|in) (?:what|which) (?:conditions?|circumstances?)\b|\b(?:needs?|needed|requires?|required|ha(?:s|ve)|had) to\b|\b(?:what|which)(?: (?:are|were) the)? factors?\b(?: that\b)?|\b(?:in|by) (?:what|which) (?:way|manner)s?\b|\b(?:which|what) (?:person|people|persons)\b|\b(?:on|at) (?:what|which) date\b|"
    r"\b(?:approximately|roughly|about|usually|typically|commonly|generally|normally|often|exactly)\b",
    re.IGNORECASE,
)
_BY_WHAT = re.compile(
    r"(?:可以?|能)?(?:有|用|通过|采用|采取)?(?:什么|哪些|哪种|何种)(?:方法|方式|办法|途径|手段)(?:可以|能够?|来)?|的?(?:方法|方式|办法|途径|机制|机理)(?:是什么|有哪些)(?=[?。]|$)|什么是(?=[^,，]*的(?:方法|方式|办法)\s*[?。]?$)|(?<=\w)的(?:方法|方式|办法)(?=\s*[?。]?$)"
)
"""Asks how, in other words."""
_HEAD = re.compile(
    r"(?<=[\u4e00-\u9fffA-Za-z0-9])(?<![的些种个么何样项其此该])(?:过程|工艺|技术|方式)(?!是什么|[?。]|$)|"
    r"(?<=[a-z])(?<!\bwhat)(?<!\bwhich)(?<!\bthe)(?<!\ba)(?<!\bthis)(?<!\bof)(?<!\bmain) "
    r"(?:process(?:es)?|procedures?|steps?|techniques?|technology|technologies)\b(?! (?:is|are|was|were|of|for)\b)",
    re.IGNORECASE,
)
"""Says of what is named before it only what it is anyway: "the rinse step", 清洗过程."""
_PHRASES = (
    (re.compile(r"\bhow many\b|\b(?:(?:what|which|the) )?number of\b", re.IGNORECASE), ""),
    (
        re.compile(
            r"\b(?:made|made up|composed|comprised|built up) of\b|(?<=^of what )(?:is|are|was|were)(?=.*\bmade\b)",
            re.IGNORECASE,
        ),
        "consist",
    ),
    (re.compile(r"\b(?:(?:what|which) role\b(?=.*\bplay))", re.IGNORECASE), "purpose"),
    (re.compile(r"\b(?:compared (?:with|to)|in comparison (?:with|to)|relative to)\b", re.IGNORECASE), "over"),
    (
        re.compile(r"\bwhat (is|are|was|were) (.*?)\bused for\b|\bfor what (?:purpose )?(.*?)\bused\b", re.IGNORECASE),
        r"purpose \2\3",
    ),
    (re.compile(r"(?<=what is )the use of\b", re.IGNORECASE), "purpose"),
    (re.compile(r"\b(?:what|which) (?:amount|quantity) of\b", re.IGNORECASE), ""),
    (re.compile(r"\b(?:carried out|performed|conducted)\b", re.IGNORECASE), "done"),
    (
        re.compile(
            r"\b(?:lead(?:s|ing)? to|led to|result(?:s|ed|ing)? in|giv(?:es?|ing) rise to|gave rise to|bring(?:s|ing)? about)\b",
            re.IGNORECASE,
        ),
        "cause",
    ),
    (re.compile(r"\bhow hot\b", re.IGNORECASE), "temperature"),
    (re.compile(r"\bprior to\b", re.IGNORECASE), "before"),
    (re.compile(r"\b(?:the )?(?:working|operating) principles? of\b", re.IGNORECASE), "how work"),
    (re.compile(r"\bwhat happen(?:s|ed) to\b", re.IGNORECASE), "how change"),
    (re.compile(r"(?<=advantages )offer(?:s|ed)?\b|(?<=benefits )offer(?:s|ed)?\b", re.IGNORECASE), ""),
    (re.compile(r"\boffer(?:s|ed)?(?= *\W*$)", re.IGNORECASE), ""),
    (_HEAD, ""),
    (re.compile(r"(?:包括|包含|含有)了?(?=哪|什么)"), "有"),
    (re.compile(r"受到?(?=.*影响)|(?:产生|带来|造成|有)(?=[^,，]{0,4}影响)"), ""),
    (re.compile(r"(?<=哪些)因素|(?<=什么)因素"), ""),
    (re.compile(r"处[于在]|(?<=范围)[之以]?内|属于|高达|多达|(?:制|做)成|存在(?=什么|哪)"), ""),
    (re.compile(r"(?<=什么)不足|(?<=哪些)不足"), "缺点"),
    (re.compile(r"厂商|厂家"), "厂"),
    (re.compile(r"在多少(?:摄氏)?度(?:的温度)?下?"), "温度"),
    (re.compile(r"(?:起到?|发挥|具有)(?=[^,，]{0,5}(?:作用|功能))"), ""),
    (re.compile(r"扮演(?=[^,，]{0,5}角色)|(?<=什么)角色|(?<=怎样的)角色"), "作用"),
    (re.compile(r"\b(LCD|OLED|AMOLED|TFT|LED)s? (?:panels?|displays?|devices?)\b", re.IGNORECASE), r"\1"),
    (re.compile(r"\bresponsible for\b", re.IGNORECASE), "purpose"),
    (re.compile(r"\b(?:(?<=steps )|(?<=stages )|(?<=layers ))make up\b|\bfull (?:name|form) of\b", re.IGNORECASE), ""),
    (
        re.compile(
            r"\b(?:(?:in|by) (?:what|which) ways?|(?:by|with) (?:what|which) (?:methods?|means))\b", re.IGNORECASE
        ),
        "how",
    ),
    (re.compile(r"的?(?:数值|大小)(?=(?:大约|大概|约)?[是为有]?(?:多少|多大))"), ""),
    (re.compile(r"有什么用(?=[?。]|$)|用来(?:做|干)什么|(?<![适利应])用于什么(?=[?。]|$)"), "作用"),
    (re.compile(r"(?:发明|提出|发现|创始)(?:者|人)(?=是谁)"), lambda match: match[0][:-1]),
    (re.compile(r"不同(?:之处|点)|区别(?:之处|点)"), "不同"),
    (re.compile(r"每日"), "每天"),
    (re.compile(r"位于|坐落于|(?:^|[,，])当(?![前量年地时])"), ""),
    (re.compile(r"(?<=\w)(?<![集其空公英这那哪])[中里](?![国心间和继等程])"), ""),
    (re.compile(r"大于|超过|多于"), "高于"),
    (re.compile(r"小于|少于"), "低于"),
    (re.compile(r"不得|不可以?|不能够"), "不能"),
    (re.compile(r"占比|比重"), "比例"),
    (re.compile(r"及(?![时格其])"), ""),
)
_ENGLISH_IDLE = frozenset(
    "what which how why when where who whom whose is are was were be been being am do doe did does done have has had can could will "
    "would shall should must may might the a an of in on at for by to with and or that there it its this these those i you me us we "
    "s re much many some any as if so very played play plays one stand stands".split()
)
_IDLE = _ENGLISH_IDLE | _CHINESE_IDLE
_SYNONYMS = {stem(word): "%" for word in ("percent", "percentage", "proportion", "fraction", "share")} | {
    stem(word): stem(shown)
    for shown, words in {
        "affect": "effect effects influence influences influenced impact impacts", "kg": "kilogram kilograms",
        "purpose": "function functions role roles", "each": "every", "size": "large big sizes", "begin": "start starts started starting",
        "happen": "occur occurs occurred", "need": "require requires required requirement necessary", "determine": "depend depends depended", "supply": "provide provides provided deliver delivers delivered", "solve": "address addresses addressed tackle overcome resolve resolved", "apply": "application applications", "drawback": "disadvantage disadvantages",
        "advantage": "benefit benefits merit merits", "main": "primary primarily principal major chief", "use": "utilize utilise utilized employ employs employed",
        "obtain": "receive get gets got", "thick": "thickness", "wide": "width", "high": "height tall", "deep": "depth", "strong": "strength", "long": "length duration", "far": "distance", "found": "establish established", "change": "react reacts respond responds",
        "fast": "quickly quick rapidly rapid speed", "frequent": "often frequency frequently", "buy": "purchase purchased",
        "allow": "permit permits permitted", "prevent": "avoid avoided avoids", "contain": "include includes included",
        "improve": "enhance enhanced enhances", "reduce": "decrease lower", "step": "stage stages", "end": "finish finishes finished",
        "differ": "difference differences different", "method": "way ways", "choose": "select selected selects selection choice",
        "remove": "removal", "grow": "growth", "lose": "loss losses", "weigh": "weight heavy", "analyze": "analysis", "increase": "raise rise", "cause": "induce",
        "maximum": "highest max", "minimum": "lowest min", "largest": "biggest greatest", "demonstrate": "exhibit", "cost": "price", "fail": "failure", "discover": "discovery discoverer", "invent": "inventor",
        "write": "author writer", "create": "creator", "consist": "composition compose comprise", "aluminum": "aluminium", "center": "centre",
        "fiber": "fibre", "meter": "metre", "sulfur": "sulphur", "gray": "grey",
    }.items()
    for word in words.split()
}  # fmt: skip
"""Words that a question is asked with either way."""
_CHINESE_SYNONYMS = {
    word: shown
    for shown, words in {
        "决定": "取决于", "作用": "功能 用途", "用": "使用 采用 利用 运用", "未": "没有 没 并未 尚未", "宜": "适宜 合适 适当 适合",
        "优点": "优势 好处 长处", "缺点": "劣势 弊端 坏处 不足之处", "特点": "特征 特性", "不同": "区别 差别 差异", "方法": "方式 办法 途径 手段 措施",
        "结果": "后果", "导致": "造成 引起 引发 致使", "提高": "提升", "降低": "减小 减少", "包括": "包含 含有", "组成": "构成",
        "制备": "制造 制作", "发生": "出现 产生", "种类": "类型", "目的": "目标", "步": "步骤", "储存": "保存 存放 贮存", "选": "选择 选用", "防止": "避免",
        "困难": "挑战 难点 难题", "如果": "倘若 假如", "多少": "多长时间 多久", "高度": "多高", "宽度": "多宽", "厚度": "多厚",
        "长度": "多长", "深度": "多深", "重量": "多重", "速度": "多快", "距离": "多远", "支出": "开支", "设备": "仪器", "副作用": "不良反应",
    }.items()
    for word in words.split()
}  # fmt: skip
_LIGHT = frozenset("来用片下中出可给受还也都") | {
    stem(word) for word in "used process method year generate let have make take".split()
}
"""Words that one question may have and the other not, where the rest is the same and long enough."""
LEAST_SHARED = 3
LEAST_SHARED_OF_ONE_MORE = 5
_NARROWS = frozenset(
    stem(word)
    for word in "not no without only first second third last next previous initial final early late new old net gross total average "
    "mean maximum minimum peak typical annual quarterly relative absolute single double multiple additional further other another "
    "same static dynamic wet dry direct indirect internal external positive negative forward reverse upper lower top bottom "
    "short long small large high low increase reduce before after above below".split()
)
_PLAIN_CHINESE = re.compile("|".join(sorted(_CHINESE_SYNONYMS, key=len, reverse=True)))
_HOW_HIGH = re.compile(
    r"(?<=[度率量值力压流温比寸积径数距速频阻容性费价本额例])(?:能|可以?|会)?(?:有|是|约?为|达到?)?多[高大长宽厚深重快远](?!时)"
)
"""After what is measured it only asks how much."""
_ALIAS = re.compile(r"\((?:[A-Z][\w-]{1,11}|[\u4e00-\u9fff]{2,12})\)")
_NOT = re.compile(r"(?<!ca)n't\b|(?<=can)(?:not|'t)\b")
_MARK = re.compile(r"%|(?<![\w)])-(?=\d)|[<>=≤≥]")
_ORDER = re.compile(
    r"^[^与和跟同,，]+(?=相比[^,，])|(?<![相对之占])比(?![例较率值重])|(?<!相)对(?![比应称面])|再|然后|(?<=从)[^，,]{1,15}?到|影响|导致|引起|代替|取代|"
    r"(?<=\bfrom )[^,]{1,40}? to\b|\b(?:grown|deposited|placed|stacked|formed|bonded|based) (?:on|onto)\b|\b(?:than|over|versus|before|after|affects?|causes?|replaces?)\b",
    re.IGNORECASE,
)
_PASSIVE = re.compile(r"受到?[^,，]*影响")
_COMPARED = re.compile(r"相(?:较|比)(?:之下|于)|相较|比起")
_BASELINE = re.compile(r"(?:^|[，,])(?:[与和跟同][^，,]+?相比|相比[^，,]+?(?=[，,]))")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks. `before` are the words up to a comparison or another verb whose sides matter."""

    kind: str
    how: bool
    defines: bool
    amount: bool
    which: bool
    words: Counter[str]
    before: Counter[str]


def asked(question: str) -> Asked:
    text = _HOW_HIGH.sub("多少", _ALIAS.sub(" ", _IS.sub(" is", plain(question).replace("’", "'"))))
    text = _COMPARED.sub("相比", _BY_WHAT.sub("如何", text))
    kind = next((kind for kind, pattern in _KINDS.items() if pattern.search(text)), "")
    kind = kind or ("whether" if _WHETHER.search(_POLITE.sub("", text)) else "")
    baseline = _BASELINE.search(text)
    order = _ORDER.search(text)
    before = text[: order.end()] if order else text.replace(baseline[0], "") if baseline else ""
    if _PASSIVE.search(text):
        before = ""
    if kind == "why":
        text, before = _CAUSE.sub(" ", text), _CAUSE.sub(" ", before)
    how, defines, amount, which = (pattern.search(text) is not None for pattern in (_HOW, _DEFINES, _AMOUNT, _WHICH))
    return Asked(kind, how, defines, amount, which, words_of(text), words_of(before))


def same(one: Asked, other: Asked) -> bool:
    if one.kind != other.kind or not one.words or _conflict(one, other) or _conflict(other, one):
        return False
    left, right = one.words - other.words, other.words - one.words
    if (one.words & other.words).total() >= LEAST_SHARED:
        left, right = _without_light(left), _without_light(right)
    if _one_more(left | right, one.words & other.words) and not (left and right):
        return not _swapped(one, other)
    return _spelled_alike(left, right) and not _swapped(one, other)


def _one_more(extra: Counter[str], shared: Counter[str]) -> bool:
    """One English word more among many, and none that narrows what is asked."""
    words = [word for word in extra if word.isascii() and word.isalpha() and word not in _NARROWS]
    return len(words) == extra.total() == 1 and shared.total() >= LEAST_SHARED_OF_ONE_MORE


def _without_light(words: Counter[str]) -> Counter[str]:
    return Counter({word: count for word, count in words.items() if word not in _LIGHT})


def _conflict(one: Asked, other: Asked) -> bool:
    """How something is made is not what it is; how many there are is not which."""
    return (one.how and other.defines) or (one.amount and ((other.which and not one.which) or other.defines))


def _spelled_alike(left: Counter[str], right: Counter[str]) -> bool:
    """As "band gap" and "bandgap" are."""
    return "".join(left.elements()) == "".join(right.elements())


def _swapped(one: Asked, other: Asked) -> bool:
    """Whether what is compared, or comes first, changed places: "A than B", "B than A"."""
    left, right = one.before - other.before, other.before - one.before
    return bool(one.before and other.before and left and right)


def words_of(text: str) -> Counter[str]:
    """Without those that only make it a question; Chinese characters are counted."""
    found, text = _figures(text.replace("第一", "第1"))
    for phrase, word in _PHRASES:
        text = phrase.sub(word, text)
    text = _PLAIN_CHINESE.sub(lambda match: _CHINESE_SYNONYMS[match[0]], text)
    text = _ENGLISH_FRAME.sub(" ", _CHINESE_FRAME.sub(" ", text))
    found.update(_MARK.findall(text))
    for word in WORD.findall(_NOT.sub(" not", text)):
        if word.lower() not in _IDLE:
            root = stem(word)
            found[_SYNONYMS.get(root, root)] += 1
    if "differ" in found:  # "between" or "from"
        del found["between"], found["from"]
    return Counter({word: 1 if word < "\u2e80" else count for word, count in found.items()})


def _figures(text: str) -> tuple[Counter[str], str]:
    """Numbers by their value and unit, and the rest: "2 h" and "two hours" are the same."""
    found: Counter[str] = Counter()
    for quantity in reversed(quantities(text)):
        found[f"{quantity.size:.6g} {quantity.unit.dimensions if quantity.unit else ''}"] += 1
        text = f"{text[: quantity.start]} {text[quantity.end :]}"
    return found, text
