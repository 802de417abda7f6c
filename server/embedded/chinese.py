"""Questions that one Chinese sentence answers, found by the form of its clauses.

A clause is read as a head, the characters before its first function word, and the rest. Words that merely contain
the character of a function word (对比度, 占空比, 有机) are never cut. A rule asks only where the head is a plain name
and the rest has a plain form: it is better to ask nothing than to ask something wrong.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

Question = tuple[str, str, str]  # type, question, answer

_FUNCTION = (
    "之所以|所谓|因此|所以|因而|由于|因为|但是|然而|而且|并且|如果|假如|例如|比如|同时|其他|其它|其余|其中|用于|取决于|高于|低于|大于|小于|优于|强于|弱于|长于|短于|快于|慢于|超过|接近|通常|一般|往往|常常|经常|主要|大多|普遍|几乎|明显|仍然|远远|远(?=比|高|低|大|小)|采用|使用|作为|成为|称为|具有|包括|包含|属于|无法|适合|允许|存在|就像|感觉|似乎|好像|毕竟|肯定|看起来|实际上|总是|近似|直接|稍微|略微|更|本质上|基本上|事实上|"
    "[是在有和与或及对把被这那它其此该们我你您他她谁哪什怎吗就都也还又再才却会能可应须需要使让令从向由因所但而且若如即不没无未很最较极太约将已曾了着等为以于比时后前当随只仅各每某本另]|[一两几多整][个种类项些块片条次座栋台]"
)
_WHOLE = (
    "对比度?|对象|对称|对流|对数|对准|对位|绝对|相对|针对|配对|比例|比较|比值|比率|比重|比热|比特|比赛|比喻|比表面|比电阻|占空比|[深宽长高]宽比|宽[深长高]比|纵横比|信噪比|开关比|性价比|压缩比|原子比|摩尔比|体积比|选择比|百分比|占比|配比|相比|之比|[类正反同环]比|哥伦比亚|比[亚利尔]|有[机源效限序]|无[机源线限序碱氧铅人]|[特共固国公私]有|饱和|中和|总和|缓和|共和|参与|与[非门]|在线|[内潜外]在|位于|能[量带级隙谱耗源力]|[功性节智光热电势动核储效职技]能|太阳能|可靠|可见光|"
    "可编程|可变|许可|应[力变用]|[效反响供感适相]应|需求|要[求素]|[重摘概]要|不同|不锈钢|不等式|不稳定|不对称|为主|[行作]为|将军|即时|随机|伴随|由来|自由|路由|[天大]使|让步|因[子素]|[基原]因|场所|所有|研究所|如何|最[大小高低优佳终]|更[新改换]|已知|曾经|附着|及时|普及|以太网|等[效级离]|时[间钟序刻代域]|[实定延计按]时|当[前量]|[相适]当|[前后]端|前[缀沿]|后缀|背后|只读|各向|各自|本[征质身地]|[成样版基文脚]本|非本征|多数|少数|并[行联]|取向|[定方横纵单双反同正]向|向[列量]|"
    "二极管|从属|[主随]从|都市|首都|就绪|成就|还原|再[生结现]|才[能智]|必要|[两阴阳栅源漏积]极|极[性管化限]|较[准量]|了解|约束|[节制合]约"
)
_TOKEN = re.compile(rf"(?P<whole>{_WHOLE})|(?P<function>{_FUNCTION})|.")
_NAME = re.compile(r"(?!.*的.*的)[\u4e00-\u9fffA-Za-z0-9][\u4e00-\u9fffA-Za-z0-9αβγμ·\- ]*(?<![的上 ])")
_NO_NAME = "提高|降低|减|增|进行|建立|设置|选择|打开|关闭|删除|添加|修改|运行|启动|执行|安装|返回|查看|调用|改变|控制|保持|避免|防止|保证|容易|猜测|呈现|花费|传|推|经过|通过|拍|按|看|说|想|请|去|来|用|做|给|跟|到|至|以上|以下|任何|大部分|整个|澄清|发现|认为|表示|数据|(?:结果|目的|原因|优点|缺点|特点|问题|关键|方法|步骤|条件|系统|文件|程序|用户|目录|命令|选项|函数|变量|默认|值|名称|内容|信息|格式|类型|大小|状态|标志|标题|消息|字段|人们?|大家|自己|事|东西|简单|唯一|具体|主要|常见|典型|标准)+(?:的|$)"
_ELEMENT = "[硅锗铜铝金银铁钢水氢氧氮氦铟镓钛钨铂锂]"
_PROPERTY = "(?:[宽厚长深高速温密强亮硬精浓粗糙度]度|直径|半径|尺寸|面积|体积|[间节]距|距离|压力|时间|寿命|周期|波长|频率|电[压流阻容势]|[功效][率]|[射热导速移率阻耗产口][率]|能量|剂量|风速|[比]例|开关比|原子比|体积比|对比度|[熔沸变]点|含量|[常系]数|折射率差|摆幅|半高宽|重量|质量)$"
_NUMBER = r"(?:约|大约|近)?[±+−-]?\d[\d.,]*(?:[×x]10[⁻⁺⁰¹²³⁴-⁹]+|[⁻⁺⁰¹²³⁴-⁹]+)?"
_UNIT = r"\s?(?:[%‰℃°ÅΩμµ]?[A-Za-zμµΩ°Å℃%/·()²³⁻¹⁰⁴-⁹]{0,12}|[万亿千百]?(?:个|次|层|倍|年|个月|天|小时|分钟|秒|[毫微纳]秒|元|[纳微毫厘]?米|公里|公斤|千?克|吨|字节|平方米|平方公里|立方米|度|摄氏度))"
_QUANTITY = rf"{_NUMBER}{_UNIT}(?:[到至:×~–-]\s?{_NUMBER}{_UNIT})*"
_ADVERB = "(?:通常|一般|往往|大多|也|都|约|只|可以|可)*"
_MEASURED = rf"(?:(?P<verb>{_ADVERB}(?:为|是|达到|不?超过|不?低于|不?高于|不?小于|不?大于|接近))约?{_QUANTITY}(?:左右|以上|以下)?|(?P<within>{_ADVERB})在{_QUANTITY}之间)"
_CONDITION = re.compile(r"(?:室温|常温|低温|高温|真空)下|[−-]?\d+ ?(?:℃|K)时")
# The clauses after one of these hold on a condition, and say less when they stand alone.
_CONDITIONAL = (
    r"如果|若|假[设如]|只要|除非|万一|一旦|例如|比如|(?:时|后|前|下|中|上|里|内|看)$|^(?:对|按|根据|在|当|以)"
)
_POINTING = r"这|那[个些种么]|它|(?<![彼因])此|上述|[前后两二三]者|本[文章节书]|我们|你|您|他们|人们|如[下上图表]|[上下]图|下[列面]|上面|以[上下](?!\d)|该(?!国)|某[种个些]|(?<!极)其(?!他|它|余|次|实)|[图表]\d|第[一二三四五六七八九十\d]+[章节]|另|同样|[对相]应的|[当目]前|现在"
_DEFINITION = "(?:所谓)?(?P<term>[^（(，的]{2,20}?)(?P<alias>[（(][^）)]{1,30}[）)])?是(?:指(?![定示针向令标数出明挥责]|导(?![电体热带线通管]))|一[种类]).{2}"
_ADJECTIVE = "高|低|大|小|快|慢|厚|薄|长|短|宽|窄|强|弱|多|少|好|差|深|浅|轻|重|复杂|困难|简单|容易|昂贵|便宜|稳定|可靠"
_IN_ONE_WORD = "[提升降减增扩缩加放变][高低大小快慢厚薄长短宽窄强弱多少深浅轻重]$|[浓稀强巨宽雄肥微细狭许众良美贵严沉体][厚薄大小长窄多好重]$"
_DEGREE = r"(?:得多|很多|许多|一些|约?[\d.一三四五六七八九十百千几数两]+(?:个数量级|倍|%)(?:以上)?)?"
_CHANGE = "升高|增加|增大|减小|降低|提高|缩小|增强|减弱|下降|上升|变化|减少|变宽|变窄"
_PREDICATE = "(?:通常|一般|往往|大多|也|都)*(?:[须需要会能可是比很更较极最不]|无法|成为|采用|使用|具有|适合|存在|近似|直接|(?:[高低大小长短强弱优]于)|主要用于).+"


def questions(sentence: str) -> Iterator[Question]:
    """Questions, with their type and answer, for a sentence on one line; none if it points outside itself."""
    body = sentence.rstrip("。！!；; ")
    if len(body) <= 300 and not re.search(r"[？?：“”‘’]|[.,]$", body):
        for statement in re.split("[；;]", body):
            if statement and not re.search(_POINTING, statement):
                yield from _in_statement(statement.strip())


def head_of(clause: str) -> tuple[str, str]:
    """The clause before its first function word, and the rest. 的 is part of the head."""
    function = next((token for token in _TOKEN.finditer(clause) if token["function"]), None)
    return (clause[: function.start()], clause[function.start() :]) if function else (clause, "")


def is_name(text: str, *, shortest: int = 2) -> bool:
    """True for a noun phrase that names something by itself, as far as its form shows."""
    return (
        len(text) >= shortest and bool(_NAME.fullmatch(text)) and not head_of(text)[1] and not re.match(_NO_NAME, text)
    )


def _stands_alone(head: str) -> bool:
    """True for a name that is precise enough for a question without its text: "硅的禁带宽度", but not "船的长度"."""
    return is_name(head, shortest=6) or (is_name(head, shortest=4) and re.match(f"{_ELEMENT}的", head) is not None)


def _in_statement(statement: str) -> Iterator[Question]:
    clauses = [part.strip() for part in re.split(r"[，,](?![^（(]*[）)])(?!\d)", statement) if part.strip()]
    yield from _definition(statement)
    if clauses and not any(re.search(_CONDITIONAL, clause) for clause in clauses[:-1]):
        yield from _reason(statement, clauses)
        yield from _in_comparison_with(statement, clauses)
    condition = match[0] if (match := _CONDITION.match(statement)) else ""
    for clause in clauses:
        plain = re.sub("^(?:但是?|而|因此|所以)", "", clause.removeprefix(condition))
        if re.search(_CONDITIONAL, plain):
            return
        yield from _in_clause(*head_of(plain), condition if len(clauses[0]) > len(condition) else f"{condition}，")


def _definition(statement: str) -> Iterator[Question]:
    if (match := re.match(_DEFINITION, statement)) and is_name(match["term"]):
        alias = match["alias"] or ""
        shown = alias if re.fullmatch(r"[（(][A-Za-z][\w\-:/]*[）)]", alias) else ""
        yield "factual", f"什么是{match['term']}{shown}？", f"{statement}。"


def _reason(statement: str, clauses: list[str]) -> Iterator[Question]:
    """为什么…？ for "A，因此B", "B，因为A", "由于A，B" and "B之所以…，是因为A"."""
    effect = ""
    for before, clause in pairwise(clauses):
        if match := re.match("(?:因此|所以|因而)(.+)", clause):
            effect = match[1]
        elif before == clauses[0] and re.match("因为|原因是|是因为", clause):
            effect = before.replace("之所以", "")
        elif before.startswith("由于") and len(clauses) == 2:
            effect = clause
    head, rest = head_of(effect)
    plain = not re.search(r"^.{41}|如|\. |[因由]|之所以|什么|怎|吗|呢", effect)
    if plain and re.fullmatch(_PREDICATE, rest) and _stands_alone(head):
        yield "reasoning", f"为什么{effect}？", f"{statement}。"


def _in_comparison_with(statement: str, clauses: list[str]) -> Iterator[Question]:
    match = re.fullmatch("[与和同](?P<other>.{2,25})相比", clauses[0])
    head, rest = head_of(clauses[1]) if len(clauses) > 1 else ("", "")
    if match and is_name(match["other"]) and _stands_alone(head) and "的" in head and re.match("更|较|可以|能够", rest):
        yield "comparative", f"与{match['other']}相比，{head}如何？", f"{statement}。"


def _in_clause(head: str, rest: str, condition: str) -> Iterator[Question]:
    if not is_name(head):
        return
    answer = f"{condition}{head}{rest}。"
    if _stands_alone(head) and "的" in head:
        if re.search(_PROPERTY, head) and (match := re.fullmatch(_MEASURED, rest)):
            asked = f"{match['verb']}多少" if match["verb"] else f"{match['within']}在什么范围内"
            yield "factual", f"{condition}{head}{asked}？", answer
        elif other := _compared(rest):
            yield "comparative", f"{condition}{head}与{other}相比如何？", answer
    if len(head) > 2 and (match := re.fullmatch(f"(随着?.{{2,20}}?(?:{_CHANGE}))而(?:{_CHANGE})", rest)):
        yield "reasoning", f"{condition}{head}{match[1]}如何变化？", answer
    if re.fullmatch(r"(?:主要|通常|一般)?由[^的]*[、和].+(?:组成|构成)", rest):
        yield "factual", f"{head}由什么{rest[-2:]}？", answer


def _compared(rest: str) -> str:
    """The name that follows 比 or 高于, or "". 比 counts only as a word of its own, and no adjective is cut in two."""
    match = re.fullmatch(
        rf"(?:通常|一般|往往|也|仍然)*比(?P<other>.+?)(?P<more>更|要|还|略|明显)?(?P<adjective>{_ADJECTIVE}){_DEGREE}",
        rest,
    ) or re.fullmatch(
        r"(?:通常|一般|往往|也|仍然|明显|远)*[高低大小优强弱长短快慢]于(?P<other>\D+)(?P<adjective>)", rest
    )
    if not match or re.search(_IN_ONE_WORD, match["other"][-1] + match["adjective"]):
        return ""
    other = match["other"]
    return other if is_name(other, shortest=1) and (len(other) > 1 or re.fullmatch(_ELEMENT, other)) else ""
