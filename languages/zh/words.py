"""Chinese characters that say little by themselves, and conjunctions."""

from languages.language import WordLists

_NEITHER = (
    "不仅|不但|不断|不同|不锈|不管|不得不|不可或缺|不然|不久|无论|非常|非晶|否则|无线|无机|未来|差不多|之前|目前|前者|大约|大致|大概|大小|大多|大部分|长度|高度|宽度|厚度|强度|深度|高分子|"
    "多晶|多数|多少|多种|多层|正常|正在|正确|正是|生长|成长|反应|负责|小时|优点|优势|缺点|薄膜|厚膜|减去|增益|加工|加入|加上"
)
_NO = "[不没](?:得|可以?|能够?|会|应当?|宜|必|需要?|须|许|要|再|曾)(?!不|少)|没有|没|不|无法|无[需须]|无|未能?|非|勿|禁止|禁(?!带)|避免|防止|缺乏|切勿"
_MORE = (
    "高于|大于|超过|多于|长于|快于|优于|以上|升高|上升|增加|增大|增强|增长|增多|增厚|提高|提升|延长|变[大宽长高厚快强多亮]|加[快大深宽厚强速]|扩大|扩展|膨胀|促进|加剧|翻[倍番]|加倍|至少|"
    "最少|不少|足够|充足|上涨|上调|升至|涨"
)
_LESS = "低于|小于|不到|不足|少于|短于|慢于|劣于|以下|降低|下降|减少|减小|减弱|减轻|减薄|减缓|缩短|变[小窄短低薄慢弱少暗]|减慢|缩小|缩减|收缩|抑制|减半|至多|最多|下跌|下调|降至|跌|下滑|削弱|延缓"


def _words(alternatives: str) -> str:
    """A pattern that tries its many alternatives only at characters that occur in one of them."""
    begins = "".join(sorted({character for character in alternatives if character >= "\u2e80"}))
    return rf"(?=[{begins}])(?:{alternatives})"


WORDS = WordLists(
    idle=frozenset("的了是为约会能可以应该须必要有则也就都还仍其它在与和及并且由被把使令"),
    reckoning=frozenset("从到至年月日天前后共计约即等于除乘以加减得"),
    clause_start="但是?|而(?!且)|因为|所以|因此",
    neither=_words(_NEITHER),
    no=_words(_NO),
    more=_words(_MORE),
    less=_words(_LESS),
    high=_words("高|大|多|长|宽|厚|强|快|正|优|升|增|先|前|热|亮|深"),
    low=_words("低|小|少|短|窄|薄|弱|慢|负|反|劣|降|减|后|冷|暗|浅"),
    negation="[不没未无非勿莫]|没有|不能|不得|不会|不可|不要|不宜|禁止|避免",
)
