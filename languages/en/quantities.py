"""English words around numbers: ranges, spans of time, counted things, operators."""

from languages.language import Arithmetic, QuantityWords

QUANTITIES = QuantityWords(
    between="and|to|or",
    joining="and",
    one=r"\b(?:an?|one|each|every|per) (?=[a-z]{3})",
    change=r"\b(?:by|differ\w*|rise|per|every|each|higher|lower|hotter|cooler|colder|warmer|range|span|within|gap)\b",
    periods={
        "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2629800.0, "quarter": 7889400.0,
        "year": 31557600.0, "daily": 86400.0, "hourly": 3600.0, "weekly": 604800.0, "monthly": 2629800.0, "yearly": 31557600.0,
        "annually": 31557600.0,
    },
    period_after=r"(?: [A-Za-z-]+){0,3}? (?:(?:an?|per|each|every) (?=[a-z]+\b)(second|minute|hour|day|week|month|quarter|year)\b)|"
    r"(?: [A-Za-z-]+){0,3}? (daily|hourly|weekly|monthly|yearly|annually)\b",
    about=r"\b(?:about|around|roughly|approximately|nearly|almost|some|over)",
    each=r"\b(?:per|each|every|an?)\b",
    counted="[A-Za-z]{3,}",
)  # fmt: skip
ARITHMETIC = Arithmetic(
    times=r"\b(?:times|multiplied by)\b|(?<=[%f]) of\b",
    divided=r"\bdivided by\b",
    plus=r"\b(?:plus|added to)\b",
    minus=r"\bminus\b",
    equals=r"\b(?:equals?|is|are|gives?|makes?|comes? to)\b",
)
