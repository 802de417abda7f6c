"""Questions that one Chinese sentence answers, found by the form of its clauses.

Each rule takes a clause (the text between commas) with its topic and yields drafts. A rule asks only what it can ask in
whole: a subject that is a pronoun, a bare attribute ("厚度") or missing makes no question.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile

from server.embedded import chinese_words as w
from server.embedded.pair import Draft, Kind

_MOST_CHARACTERS = 300  # of a sentence


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause; `condition` stands before it ("室温下，"), `topic` is what the sentence speaks of, if known.

    `more` is how the statement goes on about the same thing, with its comma.
    """

    text: str
    condition: str
    topic: str
    more: str

    @property
    def answer(self) -> str:
        return f"{self.condition}{self.text}。"

    @property
    def whole_answer(self) -> str:
        return f"{self.condition}{self.text}{self.more}。"


def drafts(sentence: str) -> Iterator[Draft]:
    """All questions that the sentence (on one line) answers; none if it points at something outside itself."""
    body = sentence.rstrip("。！!；;.… ")
    if not 6 <= len(body) <= _MOST_CHARACTERS or body[-1:] in "？?：:”’":
        return
    for statement in re.split(r"[；;]", body):
        yield from _statement(w.LEAD.sub("", statement.strip()))


def _statement(statement: str) -> Iterator[Draft]:
    clauses = split_clauses(statement)
    found = [*_of_statement(statement, clauses)]
    for clause in _in_context(clauses):
        for rule in _CLAUSE_RULES:
            found.extend(rule(clause))
    yield from (draft for draft in found if _asks_in_whole(draft.question))


def split_clauses(statement: str) -> list[str]:
    """At commas outside parentheses."""
    clauses, depth, start = [], 0, 0
    for position, character in enumerate(statement):
        depth += (character in "（(「《“") - (character in "）)」》”")
        if character in "，," and depth <= 0 and not _between_digits(statement, position):
            clauses.append(statement[start:position].strip())
            start = position + 1
    return [clause for clause in (*clauses, statement[start:].strip()) if clause]


def _between_digits(text: str, position: int) -> bool:
    return text[position - 1 : position].isdigit() and text[position + 1 : position + 2].isdigit()


def _in_context(clauses: list[str]) -> Iterator[Clause]:
    condition, topic = "", ""
    for position, text in enumerate(clauses):
        if w.CONDITION.match(text) and position + 1 < len(clauses):
            condition = f"{text}，"
            continue
        if text.startswith(("因此", "所以", "但", "而", "因为", "由于", "并")):
            condition = ""
        if not w.SUBJECT_LEFT_OUT.match(text):
            yield Clause(w.LEAD.sub("", text), condition, topic, more=_goes_on(clauses[position + 1 :]))
        topic = topic or _topic(text)


def _goes_on(clauses: list[str]) -> str:
    return "".join(f"，{clause}" for clause in takewhile(lambda clause: not w.TURN.match(clause), clauses))


def _topic(clause: str) -> str:
    """The subject of a first clause, where its verb is plain to see; later clauses may leave it out."""
    match = re.match(
        rf"^(?P<topic>[^，的]{{2,20}}?)(?:[（(][^）)]*[）)])?(?:{w.ADVERB}*)(?:是指|是一种|是一类|采用|使用|由|具有|是)",
        clause,
    )
    return match["topic"] if match and is_subject(match["topic"]) else ""


def is_subject(text: str) -> bool:
    """Whether it names something by itself."""
    return (
        1 < len(text) <= w.MOST_SUBJECT
        and not w.POINTING.search(text)
        and not w.NO_SUBJECT.match(text)
        and not w.BARE.match(text)
        and not w.BARE_NOUN.match(text)
        and not text.endswith(("不", "之所以", "就", "却", "的", "都", "还", "并", "才", "既", "时", "因为", "由于"))
        and not re.search(r"[，。；？！]|是|因为|由于", text)
        and text.count("（") == text.count("）")
    )


def _asks_in_whole(question: str) -> bool:
    return not w.POINTING.search(question) and 4 < len(question) <= 120


def _definition(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        rf"^(?:所谓的?)?(?P<term>[^，]{{2,30}}?)(?P<alias>[（(][^）)]{{1,40}}[）)])?{w.USUALLY}*(?:是指|指的是|特指|泛指|是一种|是一类|是一项|是一门|被定义为|定义为).",
        clause.text,
    )
    if match and is_subject(term := match["term"]):
        alias = match["alias"] or ""
        shown = alias if re.fullmatch(r"[（(][A-Za-z][\w\-\s:/]*[）)]", alias) else ""
        yield Draft("factual", f"什么是{term}{shown}？", clause.whole_answer, f"原文给出了“{term}”的定义。")


def _name(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        r"^(?P<what>.{4,40}?)(?:也|又|通常|一般)?(?:被)?(?:称为|称作|叫做|叫作)(?P<name>[^，、的]{2,16})$", clause.text
    )
    if match and is_subject(match["what"]) and not match["what"].endswith(("也", "又")):
        yield Draft("factual", f"{match['name']}是什么？", clause.answer, f"原文说明了“{match['name']}”所指的对象。")


def _copula(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        rf"^(?P<subject>.{{2,{w.MOST_SUBJECT}}}?)(?P<adverb>{w.USUALLY}*)是(?P<rest>.{{2,}})$", clause.text
    )
    if (
        not match
        or re.match(rf"指|一[种类项门]|因为|由于|为了|否|不|在|从|{w.NUMBER}", match["rest"])
        or match["rest"].endswith(("的", "是"))
    ):
        return
    subject, rest = match["subject"], match["rest"]
    if re.search(r"最|主要|唯一|关键", rest) and is_subject(
        re.sub(r"^最[^的]{1,4}的", "", rest)
    ):  # "A是最常用的B" asks for A
        yield Draft("factual", f"{clause.condition}{rest}是什么？", clause.answer, "原文直接给出了答案。")
    elif is_subject(subject):
        kind: Kind = "reasoning" if subject.endswith("原因") else "factual"
        yield Draft(
            kind,
            f"{clause.condition}{subject}{match['adverb']}是什么？",
            clause.whole_answer,
            f"原文直接说明了“{subject}”。",
        )


def _quantity(clause: Clause) -> Iterator[Draft]:
    match = w.QUANTITY_CLAUSE.match(clause.text)
    if not match:
        return
    subject, verb = _with_topic(match["subject"], clause), match["verb"]
    if not subject:
        return
    within = verb.endswith(("在", "介于"))
    if within and not match["tail"].strip() and "介于" not in verb:
        return  # "在2011年"
    stem = re.sub(r"(?:在|介于)$", "", verb)
    question = f"{subject}{stem}在什么范围内？" if within else f"{subject}{verb}多少？"
    answer = f"{clause.condition}{subject}{clause.text[match.end('subject') :]}。"
    yield Draft("factual", f"{clause.condition}{question}", answer, "原文直接给出了数值。")


def _count(clause: Clause) -> Iterator[Draft]:
    match = w.COUNT_CLAUSE.match(clause.text)
    if match and (subject := _with_topic(match["subject"], clause)):
        asked = f"{subject}{match['verb']}多少{match['counter']}{match['noun']}"
        answer = f"{clause.condition}{subject}{clause.text[match.end('subject') :]}。"
        yield Draft("factual", f"{clause.condition}{asked}？", answer, "原文直接给出了数目。")


def _with_topic(subject: str, clause: Clause) -> str:
    """The subject of a quantity; a bare attribute belongs to the sentence's topic; empty if neither names it."""
    if not w.UNOWNED.fullmatch(subject):
        return subject if is_subject(subject) else ""
    return f"{clause.topic}的{subject}" if clause.topic and not w.POINTING.search(subject) else ""


def _comparison(clause: Clause) -> Iterator[Draft]:
    match = re.match(
        r"^(?P<a>.{2,40}?)(?:则|也|通常|一般|往往)*比(?!通常|一般|约|大约|为|常|要|是|可|应|大于|高于|低于|小于)(?P<b>.{1,30}?)(?:更|要|还|略|明显|大约|约|高出)*"
        r"(?:高|低|大|小|快|慢|厚|薄|长|短|宽|窄|强|弱|多|少|好|差|深|浅|轻|重|复杂|困难|简单|容易|昂贵|便宜|稳定)",
        clause.text,
    ) or re.match(
        r"^(?P<a>.{2,40}?)(?:则|也|通常|一般|往往|明显|远|远远|略|大幅|仍然)*(?:高于|低于|大于|小于|优于|强于|弱于|长于|短于|快于|慢于|多于|少于)"
        r"(?P<b>[^\d约]{1,30})$",
        clause.text,
    )
    if (
        match
        and is_subject(match["a"])
        and not re.search(r"\d", match["b"])
        and not match["a"].endswith(("体积", "之", "占"))
    ):
        question = f"{clause.condition}{match['a']}与{match['b']}相比如何？"
        yield Draft("comparative", question, clause.answer, f"原文比较了“{match['a']}”与“{match['b']}”。")


def _composition(clause: Clause) -> Iterator[Draft]:
    for pattern, asked in (
        (rf"^(?P<s>.{{2,40}}?){w.ADVERB}*由.{{2,}}(?P<v>组成|构成)$", "由什么{v}"),
        (rf"^(?P<s>.{{2,40}}?){w.ADVERB}*(?:分为|分成)[^\d]*[、和].+$", "分为哪几类"),
        (rf"^(?P<s>.{{2,40}}?){w.ADVERB}*(?P<v>包括|包含).*[、和].+$", "{v}哪些"),
        (r"^(?P<s>.{2,40}?)(?P<a>主要|通常|一般|广泛)?(?P<v>用于|应用于|适用于).{2,}$", "{a}{v}什么"),
        (
            r"^(?P<s>.{2,30}?)(?P<a>一般|通常|多|主要|大多)?采用.{2,}(?P<v>制备|沉积|制作|制造|生长|加工|清洗|刻蚀|封装|测量)$",
            "{a}采用什么方法{v}",
        ),
        (
            r"^(?P<s>.{2,30}?)(?P<a>一般|通常|多|主要|大多)?采用.{2,}(?P<v>结构|工艺|方法|材料|基板|技术|方式|电路|光源|气体)$",
            "{a}采用什么{v}",
        ),
        (r"^(?P<s>.{2,40}?)(?P<a>主要)?(?P<v>取决于).{2,}$", "{a}{v}什么"),
    ):
        match = re.match(pattern, clause.text)
        if match and is_subject(match["s"]) and not re.search(r"[可能]以?$", match["s"]):
            parts = {"a": "", "v": ""} | {name: value or "" for name, value in match.groupdict().items()}
            yield Draft(
                "factual",
                f"{clause.condition}{match['s']}{asked.format(**parts)}？",
                clause.answer,
                "原文直接给出了答案。",
            )


def _trend(clause: Clause) -> Iterator[Draft]:
    change = "升高|增加|增大|减小|降低|提高|缩小|增强|减弱|下降|上升|变化|减少"
    match = re.match(rf"^(?P<s>.{{2,30}}?)随着?(?P<cause>.{{2,20}}?(?:{change}))而[^的]{{1,10}}$", clause.text)
    if match and is_subject(match["s"]) and not re.search("使|令|导致", match["s"]):
        question = f"{clause.condition}{match['s']}随{match['cause']}如何变化？"
        yield Draft("reasoning", question, clause.answer, "原文说明了变化趋势。")


_CLAUSE_RULES: tuple[Callable[[Clause], Iterator[Draft]], ...] = (
    _definition,
    _name,
    _copula,
    _quantity,
    _count,
    _comparison,
    _composition,
    _trend,
)


def _of_statement(statement: str, clauses: list[str]) -> Iterator[Draft]:
    """Rules that need more than one clause."""
    yield from _because(statement, clauses)
    yield from _the_more(clauses)
    yield from _compared_with(clauses)


def _because(statement: str, clauses: list[str]) -> Iterator[Draft]:
    for position, clause in enumerate(clauses):
        effect, cause = _effect_and_cause(clauses, position, clause)
        if effect and _is_statement(effect) and len(cause) >= 4:
            cause = re.split(r"，(?:所以|因此)", cause)[0]
            yield Draft("reasoning", f"为什么{effect}？", f"{statement}。", f"依据是原文所说的原因：{cause}。")


def _effect_and_cause(clauses: list[str], position: int, clause: str) -> tuple[str, str]:
    before, after = "，".join(clauses[:position]), "，".join(clauses[position + 1 :])
    if (match := re.match(r"^(?:因此|所以|因而|故而|于是)(?P<effect>.{4,60})$", clause)) and before:
        return match["effect"], re.sub(r"^(?:由于|因为)", "", before)
    if (match := re.match(r"^(?:这是)?(?:因为|由于|原因是|原因在于)(?P<cause>.{4,})$", clause)) and position > 0:
        return (clauses[0] if position == 1 else ""), "，".join(filter(None, (match["cause"], after)))
    if (match := re.match(r"^(?:由于|因为)(?P<cause>.{2,})$", clause)) and len(clauses) == 2 and position == 0:
        return re.sub(r"^(?:因此|所以)", "", clauses[1]) if not clauses[1].startswith(("因此", "所以")) else "", match[
            "cause"
        ]
    if (match := re.match(r"^(?P<s>.{2,30}?)之所以(?P<p>.{1,30})$", clause)) and after:
        return f"{match['s']}{match['p']}", re.sub(r"^是?(?:因为|由于)", "", after)
    return "", ""


def _is_statement(text: str) -> bool:
    """Whether "为什么" may stand before it: it has a subject of its own, and is one clause."""
    return (
        not w.NO_SUBJECT.match(text)
        and not w.POINTING.search(text)
        and not re.match(rf"^[^的]{{0,4}}(?:{w.ATTRIBUTE})", text)
        and not w.BARE.match(text)
        and not re.search(r"因为|由于|为什么|之所以", text)
        and len(text) >= 5
        and text.count("（") == text.count("）")
    )


def _the_more(clauses: list[str]) -> Iterator[Draft]:
    for cause, effect in pairwise(clauses):
        match = re.match(r"^(?P<s>[^越]{2,30}?)(?:也就|就|可以|也)*越.+$", effect)
        head = re.match(r"^(?P<s>[^越]{2,30}?)(?<!可以)(?<!也)(?<!就)越[^越]{1,12}$", cause)
        if match and head and is_subject(head["s"]) and is_subject(match["s"]):
            yield Draft("reasoning", f"{cause}，{match['s']}会怎样？", f"{cause}，{effect}。", "原文说明了变化关系。")


def _compared_with(clauses: list[str]) -> Iterator[Draft]:
    for with_what, clause in pairwise(clauses):
        match = re.match(r"^(?:与|和|同|跟|相比于|相较于)(?P<b>.{2,30}?)(?:相比|相比较|比较)?$", with_what)
        subject = re.match(r"^(?P<a>.{2,30}?)(?:的|可以|能够|具有|更|有|采用|不|也|是|能|需要|在)", clause)
        if (
            match
            and with_what.endswith(("相比", "相比较", "比较"))
            and subject
            and is_subject(subject["a"])
            and is_subject(match["b"])
        ):
            rest = "，".join(clauses[clauses.index(clause) :])
            question = f"与{match['b']}相比，{subject['a']}有什么不同？"
            yield Draft(
                "comparative", question, f"{with_what}，{rest}。", f"原文比较了“{subject['a']}”与“{match['b']}”。"
            )
