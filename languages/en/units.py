"""English names of units of measurement, written as words."""

from languages.language import UnitNames

UNITS = UnitNames(
    prefixed={
        "metre": "m", "meter": "m", "gram": "kg:1e-3", "litre": "m3:1e-3", "liter": "m3:1e-3", "second": "s",
        "volt": "kg m2 s-3 A-1", "watt": "kg m2 s-3", "ampere": "A", "hertz": "s-1", "joule": "kg m2 s-2",
        "pascal": "kg m-1 s-2", "byte": "bit:8",
    },
    prefixes={"pico": -12, "nano": -9, "micro": -6, "milli": -3, "centi": -2, "kilo": 3, "mega": 6, "giga": 9},
    whole={
        "percent": ":1e-2", "minute": "s:60", "hour": "s:3600", "day": "s:86400", "week": "s:604800",
        "month": "s:2629800", "year": "s:31557600", "degree": "deg", "degrees Celsius": "degC", "degree Celsius": "degC",
        "degrees Fahrenheit": "degF", "degrees C": "degC", "inch": "m:0.0254", "inches": "m:0.0254", "foot": "m:0.3048",
        "feet": "m:0.3048", "ft": "m:0.3048", "mile": "m:1609.344", "tonne": "kg:1e3", "euro": "EUR", "dollar": "USD",
        "yuan": "CNY", "percentage point": "point:1e-2", "basis point": "point:1e-4", "sec": "s", "secs": "s",
        "mins": "s:60", "hrs": "s:3600", "cent": "USD:0.01", "decade": "s:315576000", "century": "s:3155760000",
        "centuries": "s:3155760000", "fortnight": "s:1209600",
    },
    phrases=r"(?:percentage|basis) points?|degrees? (?:Celsius|Fahrenheit|C\b)",
    per=" per (?=[a-zA-Z])",
)  # fmt: skip
