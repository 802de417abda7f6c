"""Ways to put a question in English."""

import re

from languages.en.pointing import pointing
from languages.en.words import stem
from languages.language import QuestionForms, Rewrites

_VERBS = "is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|have|had"
_FRAME = (
    r"\b(?:can|could|would) you (?:please )?|\bplease\b|\b(?:explain|describe|define|identify|discuss|summari[sz]e|tell me|state|name|give|list|specify|outline|briefly)\b|"
    r"\bwhat is meant by\b|\bwhat does (?=.* mean\b)|\bmeans?\b(?! of)|\b(?:the )?(?:definition|meaning) of\b|\bdefined(?: as)?\b|\btake place\b|\bused to\b|\bis it true that\b|"
    r"\bable to\b|\b(?:in|at) (?:what|which) (?:place|location)\b|\b(?:in|since|during) (?:what|which) year\b|"
    r"\b(?:what|which) year\b|\byear (?=\d)|\b(?:under|in) (?:what|which) (?:conditions?|circumstances?)\b|\b(?:needs?|needed|requires?|required|ha(?:s|ve)|had) to\b|\b(?:what|which)(?: (?:are|were) the)? factors?\b(?: that\b)?|\b(?:in|by) (?:what|which) (?:way|manner)s?\b|\b(?:which|what) (?:person|people|persons)\b|\b(?:on|at) (?:what|which) date\b|"
    r"\b(?:approximately|roughly|about|usually|typically|commonly|generally|normally|often|exactly)\b"
)
_PHRASES: Rewrites = tuple(
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (r"\bhow many\b|\b(?:(?:what|which|the) )?number of\b", ""),
        (r"\b(?:made|made up|composed|comprised|built up) of\b|(?<=^of what )(?:is|are|was|were)(?=.*\bmade\b)", "consist"),
        (r"\b(?:(?:what|which) role\b(?=.*\bplay))", "purpose"),
        (r"\b(?:compared (?:with|to)|in comparison (?:with|to)|relative to)\b", "over"),
        (r"\bwhat (is|are|was|were) (.*?)\bused for\b|\bfor what (?:purpose )?(.*?)\bused\b", r"purpose \2\3"),
        (r"(?<=what is )the use of\b", "purpose"),
        (r"\b(?:what|which) (?:amount|quantity) of\b", ""),
        (r"\b(?:carried out|performed|conducted)\b", "done"),
        (r"\b(?:lead(?:s|ing)? to|led to|result(?:s|ed|ing)? in|giv(?:es?|ing) rise to|gave rise to|bring(?:s|ing)? about)\b", "cause"),
        (r"\bhow hot\b", "temperature"),
        (r"\bprior to\b", "before"),
        (r"\b(?:the )?(?:working|operating) principles? of\b", "how work"),
        (r"\bwhat happen(?:s|ed) to\b", "how change"),
        (r"(?<=advantages )offer(?:s|ed)?\b|(?<=benefits )offer(?:s|ed)?\b", ""),
        (r"\boffer(?:s|ed)?(?= *\W*$)", ""),
        # Adds nothing to the thing named before it: "the rinse step".
        (r"(?<=[a-z])(?<!\bwhat)(?<!\bwhich)(?<!\bthe)(?<!\ba)(?<!\bthis)(?<!\bof)(?<!\bmain) "
         r"(?:process(?:es)?|procedures?|steps?|techniques?|technology|technologies)\b(?! (?:is|are|was|were|of|for)\b)", ""),
        (r"\b(LCD|OLED|AMOLED|TFT|LED)s? (?:panels?|displays?|devices?)\b", r"\1"),
        (r"\bresponsible for\b", "purpose"),
        (r"\b(?:(?<=steps )|(?<=stages )|(?<=layers ))make up\b|\bfull (?:name|form) of\b", ""),
        (r"\b(?:(?:in|by) (?:what|which) ways?|(?:by|with) (?:what|which) (?:methods?|means))\b", "how"),
    )
)  # fmt: skip
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

QUESTIONS = QuestionForms(
    why=r"\bwhy\b|\bhow come\b|\b(?:the|what) (?:main |primary |underlying )?(?:reasons?|causes?) (?:for|of|why|that|behind)\b|"
    r"\b(?:for|due to|because of) (?:what|which) reasons?\b|\bwhat (?:causes?|caused)\b|\bwhat (?:is|are|was|were) .*\bcaused by\s*\?|\bby what .*\bcaused\b",
    when=r"\b(?:in|since|during) (?:what|which) year\b|\b(?:at|on) (?:what|which) (?:date|day|point in time)\b|"
    r"\b(?:what|which) year\b|\b(?:under|in) (?:what|which) (?:conditions?|circumstances?)\b|\bwhen(?= (?:was|is|did|does|do|were|will|must|should|can|has|have)\b)",
    where=r"\bwhere\b|\b(?:in|at) (?:what|which) (?:place|location)\b",
    who=r"\bwho(?:m|se)?\b|\b(?:which|what) (?:person|people|persons)\b",
    cause=r"\b(?:(?:main|primary|underlying) )?(?:reasons?|causes?|caused|happens?|occurs?|arises?|comes? about|how come|due|because)\b",
    polite=r"^(?:please tell me:? ?|(?:could|can) you (?:please )?(?:tell me|explain):? ?(?:whether |if )?|do you know )",
    either=r"\bor\b",
    whether=rf"(?!(?:can|could|would) you\b)(?:{_VERBS})\b",
    how=r"\bhow (?:do|does|did|is|are|was|were|can|to)\b(?!.*\bdefined\b)|\b(?:in|by) (?:what|which) (?:way|manner)\b",
    defines=r"^what(?: is|'s| are) (?!the (?:\w+ ){1,2}(?:of|between|on|in|for|from)\b)",
    amount=r"\b(?:how many|number of)\b",
    which=r"\bwhich\b(?! (?:percent|share|proportion|fraction|number|amount))",
    order=r"(?<=\bfrom )[^,]{1,40}? to\b|\b(?:grown|deposited|placed|stacked|formed|bonded|based) (?:on|onto)\b|\b(?:than|over|versus|before|after|affects?|causes?|replaces?)\b",
    rewrites=(
        (re.compile(r"(?<=what)'s\b|(?<=who)'s\b|(?<=how)'s\b|(?<=where)'s\b|(?<=why)'s\b", re.IGNORECASE), " is"),
    ),
    phrases=_PHRASES,
    contractions=((re.compile(r"(?<!ca)n't\b|(?<=can)(?:not|'t)\b"), " not"),),
    frame=_FRAME,
    idle=frozenset(
        "what which how why when where who whom whose is are was were be been being am do doe did does done have has had can could will "
        "would shall should must may might the a an of in on at for by to with and or that there it its this that these those i you me us we "
        "s re much many some any as if so very played play plays one stand stands".split()
    ),
    synonyms=_SYNONYMS,
    light=frozenset(stem(word) for word in "used process method year generate let have make take".split()),
    narrowing=frozenset(
        stem(word)
        for word in "not no without only first second third last next previous initial final early late new old net gross total average "
        "mean maximum minimum peak typical annual quarterly relative absolute single double multiple additional further other another "
        "same static dynamic wet dry direct indirect internal external positive negative forward reverse upper lower top bottom "
        "short long small large high low increase reduce before after above below".split()
    ),
    implied={"differ": ("between", "from")},
    labels="question|answer|q|a",
    yes_or_no=rf"^(?:{_VERBS})\b|\bor\b",
    choice=r"\b(?:which|who)\b",
    pointing=pointing,
    options=r"\bof the (?:two|three|four|following),",
    option_joining=r"\bor\b|\band\b",
    option_pointing=r"\b(?:of the (?:two|three|four)|of the following|of these|of those|the following)\b",
)
