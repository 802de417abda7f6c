"""Chinese characters that say little by themselves, and conjunctions."""

from languages.language import WordLists

WORDS = WordLists(
    idle=frozenset("的了是为约会能可以应该须必要有则也就都还仍其它在与和及并且由被把使令"),
    reckoning=frozenset("从到至年月日天前后共计约即等于除乘以加减得"),
    clause_start="但是?|而(?!且)|因为|所以|因此",
)
