"""English words that negate and compare."""

from languages.language import Comparisons

_NEITHER = (
    r"not only|more or less|up to|over time|no longer than|no one|as long as|so long as|long[- ]term|short[- ]term|"
    r"higher-\w+|rising edge|falling edge|in order to"
)
_NO = (
    r"not|cannot|never|no|none|neither|nor|without|lacks?|lacking|unable|prevent\w*|avoid\w*|hardly|free (?:of|"
    r"from)|fails? to|failed to|keep(?:s|ing)?(?=\b.*\bfrom\b)|(?:do|does|did|is|are|was|were|ca|could|wo|would|"
    r"should|must|need|has|have|had)n't"
)
_MORE = (
    r"higher|highest|above|over|more|most|greater|greatest|larger|largest|bigger|longer|increas\w*|ris\w+|rose|"
    r"exceed\w*|rais\w*|at least|faster|wider|thicker|stronger|deeper|brighter|hotter|gain\w*|grow\w*|grew|grown|"
    r"maximum|after|better|up|improv\w*|lengthen\w*|widen\w*|broaden\w*|deepen\w*|thicken\w*|strengthen\w*|"
    r"enhanc\w*|boost\w*|accelerat\w*|speed(?:s|ed)? up|expand\w*|doubl(?:e[sd]|ing)|tripl(?:e[sd]|ing)|promot\w*|"
    r"heat(?:s|ed)(?: up)?|extend\w*|amplif\w*|maximi[sz]\w*"
)
_LESS = (
    r"lower|lowest|lower(?:s|ed|ing)|below|under|less|least|fewer|fewest|smaller|smallest|shorter|decreas\w*|"
    r"fall\w*|fell|drop\w*|reduc\w*|at most|slower|narrower|thinner|weaker|shallower|dimmer|colder|cooler|"
    r"los[et]\w*|minimum|before|worse\w*|down|shorten\w*|narrow(?:s|ed|ing)|weaken\w*|slow(?:s|ed|ing)?(?: down)?|"
    r"shrink\w*|shrank|shrunk|declin\w*|diminish\w*|degrad\w*|delay(?:s|ed)|halv\w+|suppress\w*|inhibit\w*|"
    r"hinder\w*|cool(?:s|ed)(?: down)?|contract(?:s|ed|ing)|minimi[sz]\w*"
)
_HIGH = r"high|large|long|big|fast|wide|thick|strong|positive|directly|deep|hot|bright|first"
_LOW = r"low|small|short|slow|narrow|thin|weak|negative|inversely|shallow|cold|dark|last"
_PREFIX = (
    r"\b(?:un(?!i|der|til|less|cle)|non-?)(?=[a-z]{3,}(?:ed|ing|able|al|ar|ent|ant|ic|ful|tile|n)\b)|\bin(?=(?:soluble|sensitive|dependent|active|"
    r"complete|visible|sufficient|stable|direct|accurate|effective|organic|flexible)\w*\b)"
)


def _words(alternatives: str) -> str:
    return rf"\b(?:{alternatives})\b"


COMPARISONS = Comparisons(
    neither=_words(_NEITHER),
    no=f"{_words(_NO)}|{_PREFIX}",
    more=_words(_MORE),
    less=_words(_LESS),
    high=_words(_HIGH),
    low=_words(_LOW),
    leading=r"with(?:out)? (?:it|them|this|that|these|those)",
    negation=r"\b(?:not|never|no|without|cannot|(?:do|does|did|is|are|was|were|ca|could|wo|would|should|must|need|has|have|had)nt) ?",
)
