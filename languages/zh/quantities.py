"""Chinese words around numbers: ranges, spans of time, counted things, operators."""

from languages.language import Arithmetic, QuantityWords

QUANTITIES = QuantityWords(
    between="至|到|或|、",
    joining="零|又",
    one="(?<![十百千万第之统])一(?=个?[小分秒天日周月年季世星])",
    below_zero="零下$|负$",
    change="差|升高|上升|降低|下降|提高|升温|降温|温升|温差|每|变化",
    periods={
        "秒": 1.0, "分钟": 60.0, "小时": 3600.0, "天": 86400.0, "日": 86400.0, "周": 604800.0, "星期": 604800.0, "月": 2629800.0,
        "季度": 7889400.0, "年": 31557600.0,
    },
    period_before=r"每个?(秒|分钟|小时|天|日|周|星期|月|季度|年)[^，。；：,;:\d每]{0,8}$",
    year="年",
    about="约|近|大概|差不多",
    each="每",
    counted=r"[个种类条步层片名位款项次块组套台座株家支颗艘][\u4e00-\u9fff]{1,3}|[次名位片台座株家支颗艘套]|[\u4e00-\u9fff]{2,3}",
    one_of="一",
    over="多余",
)  # fmt: skip
ARITHMETIC = Arithmetic(
    power=r"的?平方|的?\d+次方",
    times=r"乘以|乘|的(?=\s?\d+(?:\.\d+)?%|百分之|一半|[一二两三四五六七八九]成)",
    divided="除以",
    plus="加上?",
    minus="减去?",
    equals="约?等于|约?为|即|约?是|得到?|算得",
    before_minus="元年天",
)
