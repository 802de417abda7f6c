"""English words by which a question points at something outside itself."""

import re
from collections.abc import Iterator

from languages.language import spoken_of

_NOUN = r"(?:passage|text|excerpt|paragraph|article|author|authors|context|snippet|document|paper|study|section|chapter|figure|diagram|table|chart|graph|report|source|material|image)"
_OUTSIDE = {
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
_BACK = re.compile(
    r"\b(?:[Ii]t|[Ii]ts(?![\w -]{1,30},)|[Tt]hey|[Tt]hem|[Tt]heir(?![\w -]{1,30},)|(?:^He|he)(?!-)|[Hh]is|[Ss]he|[Hh]er|[Tt]his|[Tt]hese(?! days)|[Tt]hose(?! with| who| of| that| which| in)|[Ss]uch(?! as| that| (?:an? )?[\w-]+ as)|the latter|the former|"
    r"(?:which|what) (?:one )?of the (?:two|three|four)|the (?:two|three|four)(?=\s*[?,.]|$| (?:compare|differ|relate)|\s(?:methods|materials|approaches|techniques|devices|processes|types|steps|cases|groups)\b(?! of| in| for| that))|"
    r"[Tt]he (?:company|firm|device|method|approach|technique|process|team|product|agreement|project|parameter)(?='s| (?!of|for|that|which|in|used|called|known|with|to|named|by|on|under|between|[^\Wa-z])|\s*[?,.]|$)|"
    r"(?:the (?:other|first|second|third|last|next|previous)|another) (?:method|approach|technique|material|process|step|reason|option|one|example|case|device|stage)(?! of| in| for| to| that| [a-z]))\b|"
    r"(?:(?<=does )|(?<=is )|(?<=did )|(?<=do )|(?<=can )|(?<=was )|(?<=will )|^)[Tt]hat\b(?! \w+ (?:of|which|that|who)\b)"
)
_ALWAYS = re.compile(
    r"\bthis one\b|\b(?:in|at|by|since|during) (?:that|such an?) (?:year|time|case|point|moment)\b", re.IGNORECASE
)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|does|did|will|would|can) it (?!used|made|called|needed)(?:(?:so|more|less|very|not|often) )*\w+ (?:to|that|for|when|if)\b|\bdoes it (?:take|cost)\b(?=.* to )|"
    r"\bit (?:is|was) (?:\w+ ){1,2}(?:to|that)\b|\b(?:is|was) it that\b|"
    r"\bit (?:\w+ )?(?:possible|impossible|necessary|important|difficult|hard|easy|easier|legal|illegal|safe|common|useful|advisable|true|likely|sufficient|"
    r"essential|desirable|harmful|dangerous|allowed|crucial|helpful|feasible|worthwhile|matters?)(?= (?:to|that|for|when|if|in|under|whether|how)\b)",
    re.IGNORECASE,
)
_IDLE = frozenset(
    "what which who whom whose why how when where is are was were do does did can could will would should must may might has have had be been "
    "the a an of in on at by for from to with and or as many much long high low large big far often main first second two three same new "
    "thickness temperature range pressure time length width height size value speed frequency voltage current power cost price efficiency reason "
    "cause result results advantage advantages disadvantage purpose role effect effects definition method methods step steps condition conditions "
    "ratio lifetime number change changes happen happens happened need needs difference important used use done called work works mean means happens "
    "better best worse worst faster cheaper higher lower larger smaller more less most least next else there then now required maximum minimum average "
    "typical value values parameter parameters meaning total amount level result outcome conclusion point idea topic subject theme occur occurs one ones thing things "
    "among about only explain describe please affect affects achieved under during after before".split()
)
_WORD = re.compile(r"[A-Za-z][\w'’-]*")


def pointing(question: str) -> Iterator[str]:
    yield from spoken_of(question, _OUTSIDE)
    if always := _ALWAYS.search(question):
        yield f"points back: {always[0]}"
    without = _EXPLETIVE.sub(lambda match: " " * len(match[0]) if "it" in match[0].lower() else match[0], question)
    for match in _BACK.finditer(without):
        if not _has_content(question[: match.start()]):
            yield f"points back: {match[0]}"
    if not _has_content(question):
        yield "names nothing"


def _has_content(text: str) -> bool:
    return any(word.lower() not in _IDLE for word in _WORD.findall(text))
