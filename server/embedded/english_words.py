"""Words and shapes that the English rules look for."""

import re


def words(text: str) -> str:
    """An alternation of the words."""
    return "|".join(text.split())


LEAD = re.compile(
    r"^(?:However|Moreover|Furthermore|Therefore|Thus|Hence|Consequently|As a result|In addition|Additionally|Also|"
    r"For example|For instance|In practice|In general|Generally|Typically|Usually|Today|First|Second|Third|Finally|"
    r"By contrast|In contrast|On the other hand|Similarly|Historically|In other words|But|And|So|Yet),? ",
)
CONDITION = re.compile(
    r"^(?P<condition>(?:At|In|For|Under|With|On|Above|Below|During|Within|Near|By) [^,]{2,60}), (?=[A-Za-z0-9])"
)

_POINTING_WORDS = words("""
    it its this these those they them their theirs he she we us our you your such former latter above following
    here figure fig table section chapter ones
""")
POINTING = re.compile(rf"\b(?:{_POINTING_WORDS})\b", re.IGNORECASE)
_NOT_A_NAME_WORDS = words("""
    that there which who what when where why how if because since as while although though another one some many
    most several few both each all either neither other others two three four more less only then and or but not
    to by from using about even also every any no so unless until once after before
""")
NOT_A_NAME = re.compile(rf"^(?:{_NOT_A_NAME_WORDS})\b", re.IGNORECASE)
_NOT_IN_A_NAME_WORDS = words("""
    is are was were be been has have had can cannot could may might must should will would does do which who whose
    that because so therefore if when while whereas but than not
""")
NOT_IN_A_NAME = re.compile(rf"\b(?:{_NOT_IN_A_NAME_WORDS})\b|[,;:]")
DANGLING = re.compile(rf" (?:{words('the a an of for in at with to and or')})$")
_GENERIC = words("""
    main first second third next last other same most common simplest best key typical usual whole final new old
    basic important major remaining resulting
""")
_BARE_NOUN = words("""
    result reason approach method step problem solution answer goal aim idea advantage disadvantage drawback
    challenge key process device material layer value effect example way cause difference technique purpose
    difficulty trick point structure system number part metal film model rest price cost limit alternative
    consequence benefit case role
""")
BARE = re.compile(rf"^(?:the|a|an)?\s*(?:(?:{_GENERIC})\s+)*(?:{_BARE_NOUN})s?$", re.IGNORECASE)
SINGLE_NOUN = re.compile(r"(?:the|an?) [a-z]+ (?:is|are|was|were|can|must|[a-z]+s)\b", re.IGNORECASE)

_QUANTITIES = words("""
    gap bandgap thickness width linewidth length depth height diameter radius size pitch temperature pressure time
    duration wavelength frequency voltage current resistivity resistance capacitance conductivity mobility
    concentration density energy power efficiency constant permittivity index coefficient point lifetime life
    brightness luminance ratio contrast resolution rate angle yield cost price share speed velocity dose aperture
    purity roughness field strength number area volume weight mass range factor swing fraction content
    transmittance reflectance reflectivity loss level distance spacing dimension bandwidth delay transmission
    output budget limit tolerance error dissipation consumption stress strain
""")
ATTRIBUTE = rf"(?:{_QUANTITIES})s?"
DIMENSION = words("thick wide long deep high tall large old")

_ABOUT_WORDS = words("""
    about approximately around roughly nearly almost only some typically usually often just below above over under
    between from
""")
ABOUT = (
    rf"(?:{_ABOUT_WORDS}|as (?:low|high|small) as|up to|at (?:least|most)|more than|less than|"
    "close to|limited to|equal to)"
)
NUMBER = r"[±+−–-]?\d[\d.,]*(?:\s?[×x]\s?10[⁻⁺⁰¹²³⁴-⁹^\-−\d]*)?[⁰¹²³⁴-⁹⁻⁺]*"
_UNIT_WORDS = (
    words("percent times kelvin million billion")
    + r"|per cent|degrees?(?: Celsius)?|(?:volt|watt|hour|minute|second|day|year|bit|layer|nit|dollar|micron)s?|hertz|"
    r"(?:nano|micro|milli|centi|kilo)?met(?:er|re)s?|nanoseconds?"
)
_UNIT_SYMBOL = r"[A-Za-zµμΩ][A-Za-z0-9µμΩ]{0,3}(?:[²³⁻¹⁰]|[/·⋅][A-Za-zµμΩ(][\w²³⁻¹⁰()·⋅]*)*(?![a-z])"
_UNIT = rf"(?:\s?(?:%|‰|°C?|℃|Å|{_UNIT_WORDS}|{_UNIT_SYMBOL}))?"
VALUE = rf"{NUMBER}{_UNIT}(?:\s?(?:to|and|–|-|—|or|×|:)\s?(?:{ABOUT} )?{NUMBER}{_UNIT})?"

HOLDS = words("""
    has have had uses use needs need requires require provides provide offers offer achieves achieve prints print
    reaches reach
""")
WORKS = words("""
    works work operates operate emits emit runs run melts melt radiates radiate
""")
PARTICIPLE = words("""
    made formed deposited grown produced fabricated etched patterned measured driven separated removed created
    obtained manufactured doped prepared cleaned bonded attached printed controlled reduced cured transferred cut
""")
RELATION = (
    r"consists? of|depends? (?:mainly |only |strongly )?on|leads? to|results? in|"
    r"(?:cause|contain|prevent|emit|convert|determine|limit|reduce|lower|increase|improve|comprise|replace|enable)s?"
)
COMPARED = (
    r"is|are|was|were|has|have|had|carr(?:y|ies)|switch(?:es)?|"
    r"(?:offer|provide|give|show|need|use|live|conduct|consume|cost|move|absorb|emit|last|grow|hurt)s?"
)
COMPARATIVE = r"(?:more|less|fewer|better|worse|lower|higher|[a-z]{2,}(?<!rath)(?<!oth)(?<!wheth)(?<!eith)er)"
AUXILIARY = r"is|are|was|were|can|cannot|must|should|may|will|could|would|has to|have to"
MAIN_VERB = (
    r"has|have|carr(?:y|ies)|switch(?:es)?|"
    r"(?:need|use|require|emit|hurt|absorb|live|make|conduct|suffer|move|stay|become|sag|fall|rise|increase|decrease|"
    r"remain|work|show|take|give|lead|cost|grow|block|change|account)s?"
)
CHANGE = r"(?:(?:increase|decrease|rise|fall|drop|grow|shrink|become|improve|widen|slow|shift)s?)"
NOT_A_CLASS = re.compile(
    r"(?:made|held|[a-z-]+(?:ed|ing|er|n|t|y|al|le|ly|ic|ve))\b"
)  # "are made", "are hot": no "What are"

PROPER = frozenset(
    words("""
    Moore Dennard Schottky Zener Hall Fermi Bayer Raman Rayleigh Czochralski Bridgman Boltzmann Poisson Fowler
    Intel Samsung Invar Miller Debye Bragg Gauss Planck Einstein Lambert Auger Shockley Coulomb Hooke Mini Abbe
    Köhler Deal Preston Murphy Johnson Baliga Japan Korea Taiwan China Europe January February March April May
    June July August September October November December
""").split("|")
)
