"""Rule sets to start from, each a table with its source.

The bounds are those of the source; where there is none, the set says that it is a convention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

#: One bound or both of a range of numbers: from the first on, below the second.
Band: TypeAlias = tuple[float | None, float | None]


@dataclass(frozen=True)
class RuleSet:
    """Rules with the names of the columns that they are written for, and where they come from."""

    kind: str
    rules: Sequence[Mapping[str, Any]]
    default: str
    source: str
    # What the bounds are shares of, where they are no values of the column itself.
    share_of: str | None = None


def _bands(column: str, bands: Mapping[str, Band]) -> list[dict[str, Any]]:
    return [{"name": name, "when": in_band(column, band)} for name, band in bands.items()]


def in_band(column: str, band: Band) -> dict[str, Any]:
    """Return the condition that a number is in a band."""
    low, high = band
    bounds = {"at_least": low, "below": high}
    return {"column": column, **{key: bound for key, bound in bounds.items() if bound is not None}}


def _patterns(column: str, patterns: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "when": {"column": column, "matches": f"(?i){pattern}"}}
        for name, pattern in patterns.items()
    ]


def _at_least(column: str, bound: float) -> dict[str, Any]:
    return {"column": column, "at_least": bound}


def _below(column: str, bound: float) -> dict[str, Any]:
    return {"column": column, "below": bound}


# ISO 3166-1 alpha-2 codes; TW and XK, which M49 does not list, beside their neighbours.
_REGIONS = {
    "Africa": (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA "
        "MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW"
    ),
    "Northern America": "BM CA GL PM US",
    "Latin America and the Caribbean": (
        "AG AI AR AW BB BL BO BQ BR BS BV BZ CL CO CR CU CW DM DO EC FK GD GF GP GS GT GY HN HT JM "
        "KN KY LC MF MQ MS MX NI PA PE PR PY SR SV SX TC TT UY VC VE VG VI"
    ),
    "Asia": (
        "AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN "
        "MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE"
    ),
    "Europe": (
        "AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT "
        "LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"
    ),
    "Oceania": (
        "AS AU CC CK CX FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS"
    ),
}

_DIVISIONS: dict[str, Band] = {
    "Agriculture, forestry and fishing": (1, 4),
    "Mining and quarrying": (5, 10),
    "Manufacturing": (10, 34),
    "Energy supply": (35, 36),
    "Water and waste": (36, 40),
    "Construction": (41, 44),
    "Trade and repair of vehicles": (45, 48),
    "Transport and storage": (49, 54),
    "Accommodation and food": (55, 57),
    "Information and communication": (58, 64),
    "Finance and insurance": (64, 67),
    "Real estate": (68, 69),
    "Professional and technical services": (69, 76),
    "Administrative and support services": (77, 83),
    "Public administration": (84, 85),
    "Education": (85, 86),
    "Health and social work": (86, 89),
    "Arts and recreation": (90, 94),
    "Other services": (94, 97),
    "Households as employers": (97, 99),
    "Extraterritorial organisations": (99, 100),
}

RULE_SETS = {
    "age": RuleSet(
        "demographic",
        _bands(
            "age",
            {
                "Under 25": (0, 25),
                "25 to 34": (25, 35),
                "35 to 44": (35, 45),
                "45 to 54": (45, 55),
                "55 to 64": (55, 65),
                "65 to 74": (65, 75),
                "75 and older": (75, 120),
            },
        ),
        "Unknown",
        "U.S. Bureau of Labor Statistics, Consumer Expenditure Surveys, tables by age of the "
        "reference person. Ages of 120 and more are taken for errors.",
    ),
    "generation": RuleSet(
        "demographic",
        _bands(
            "birth_year",
            {
                "Silent": (1928, 1946),
                "Boomers": (1946, 1965),
                "Generation X": (1965, 1981),
                "Millennials": (1981, 1997),
                "Generation Z": (1997, 2013),
            },
        ),
        "Unknown",
        "Dimock (2019), Defining generations, Pew Research Center.",
    ),
    "income": RuleSet(
        "demographic",
        _bands(
            "income",
            {
                "Poor": (0, 0.5),
                "Lower income": (0.5, 0.75),
                "Middle income": (0.75, 2),
                "Upper income": (2, None),
            },
        ),
        "Unknown",
        "OECD (2019), Under Pressure: The Squeezed Middle Class: shares of the median household "
        "income. Pass the median as scale. There, who has just twice the median is in the middle.",
        share_of="the median household income",
    ),
    "household": RuleSet(
        "demographic",
        [
            {
                "name": f"{adults} {children}",
                "when": {"all": [in_band("adults", n_adults), in_band("children", n_children)]},
            }
            for adults, n_adults in {
                "One adult": (1, 2),
                "Two adults": (2, 3),
                "Three or more adults": (3, None),
            }.items()
            for children, n_children in {
                "without children": (0, 1),
                "with children": (1, None),
            }.items()
        ],
        "Unknown",
        "Eurostat, EU-SILC, household types by number of adults and dependent children.",
    ),
    "world_region": RuleSet(
        "geographic",
        [
            {"name": region, "when": {"column": "country", "in": codes.split()}}
            for region, codes in _REGIONS.items()
        ],
        "Unknown",
        "United Nations, Standard country or area codes for statistical use (M49); countries as "
        "ISO 3166-1 alpha-2 codes.",
    ),
    "population_density": RuleSet(
        "geographic",
        _bands(
            "inhabitants_per_km2",
            {"Urban": (1_500, None), "Suburban": (300, 1_500), "Rural": (0, 300)},
        ),
        "Unknown",
        "European Commission, FAO, UN-Habitat, OECD & World Bank (2021), Applying the Degree of "
        "Urbanisation: its bounds of density. Its minimum of inhabitants in neighbouring cells is "
        "left out.",
    ),
    "settlement": RuleSet(
        "geographic",
        _patterns(
            "settlement",
            {
                "Urban": r"^\s*(urban|city|cities|metro)",
                "Suburban": r"^\s*(sub-?urb|surburb|town|intermediate)",
                "Rural": r"^\s*(rural|village|country)",
            },
        ),
        "Unknown",
        "Convention: the words of the degree of urbanisation (cities; towns and suburbs; rural "
        "areas) and others for them.",
    ),
    "device": RuleSet(
        "technographic",
        _patterns(
            "device",
            {
                "Television": r"\btv\b|smart ?tv|apple ?tv|\btvos\b|television|roku|chromecast",
                "Console": r"console|playstation|xbox|nintendo",
                "Tablet": r"tablet|ipad|kindle|\bgalaxy tab",
                "Mobile": r"mobile|phone|android|\bios\b",
                "Desktop": r"desktop|laptop|computer|\bpc\b|windows|\bi?mac|\bx11\b|\bcros\b",
            },
        ),
        "Unknown",
        "Convention: the classes of device that web analytics tell apart. Of user agents, tablets "
        "that do not say so are with the mobile or desktop devices that they pass for.",
    ),
    "operating_system": RuleSet(
        "technographic",
        _patterns(
            "operating_system",
            {
                "Windows": r"\bwindows",
                "Android": r"android",
                "iOS": r"^\s*ios|\bipados|\biphone|\bipad\b",
                "macOS": r"\bmac ?os|^\s*os ?x|\bmacintosh",
                "ChromeOS": r"chrome ?os|\bcros\b",
                "Linux": r"linux|ubuntu|debian|fedora",
            },
        ),
        "Other",
        "Convention: families of operating systems, by their makers' names. Names that others "
        "borrow, as user agents do, come last.",
    ),
    "browser": RuleSet(
        "technographic",
        _patterns(
            "browser",
            {
                "Edge": r"\bedg(e|a|ios)?\b",
                "Opera": r"\bopera\b|\b(opr|opx|opios)\b",
                "Samsung Internet": r"samsung ?(browser|internet)|^\s*samsung\s*$",
                "Firefox": r"firefox|\bfxios\b",
                "Chrome": r"chrom(e|ium)|\bcrios\b",
                "Safari": r"safari",
            },
        ),
        "Other",
        "Convention: names of browsers. Names that others borrow, as user agents do, come last; "
        "other browsers made from Chromium, which pass for Chrome, are with it.",
    ),
    "company_size": RuleSet(
        "firmographic",
        _bands(
            "employees",
            {
                "Micro": (0, 10),
                "Small": (10, 50),
                "Medium": (50, 250),
                "Large": (250, None),
            },
        ),
        "Unknown",
        "Commission Recommendation 2003/361/EC, by persons employed alone.",
    ),
    "company_revenue": RuleSet(
        "firmographic",
        _bands(
            "revenue",
            {
                "Micro": (0, 2_000_000),
                "Small": (2_000_000, 10_000_000),
                "Medium": (10_000_000, 50_000_000),
                "Large": (50_000_000, None),
            },
        ),
        "Unknown",
        "Commission Recommendation 2003/361/EC, by annual turnover in euros alone. There, who has "
        "just the bound is still below it.",
    ),
    "company_stage": RuleSet(
        "firmographic",
        [
            {
                "name": "Startup",
                "when": {
                    "all": [in_band("employees", (0, 50)), in_band("company_age_years", (0, 10))]
                },
            },
            *_bands(
                "employees",
                {"Small": (0, 50), "Mid-size": (50, 250), "Enterprise": (250, None)},
            ),
        ],
        "Unknown",
        "Sizes of Commission Recommendation 2003/361/EC; startups are younger than ten years, as "
        "in the European Startup Monitor. That they are small is a convention.",
    ),
    "industry": RuleSet(
        "firmographic",
        _bands("isic_division", _DIVISIONS),
        "Unknown",
        "United Nations, International Standard Industrial Classification, revision 4: sections by "
        "division, the first two digits of a code (also of NACE, revision 2).",
    ),
    "loyalty": RuleSet(
        "behavioural",
        _bands(
            "frequency",
            {"Loyal": (5, None), "Repeat": (2, 5), "One-time": (1, 2)},
        ),
        "Not yet",
        "Convention: a ladder of loyalty by number of orders.",
    ),
    "recommendation": RuleSet(
        "behavioural",
        _bands(
            "likelihood_to_recommend",
            {"Promoters": (9, 11), "Passives": (7, 9), "Detractors": (0, 7)},
        ),
        "Not asked",
        "Reichheld (2003), The one number you need to grow, Harvard Business Review: answers from "
        "0 to 10. Others, such as codes for no answer, are none.",
    ),
    "buying_stage": RuleSet(
        "behavioural",
        [
            {"name": "Bought", "when": _at_least("orders", 1)},
            {"name": "Decides", "when": _at_least("carts", 1)},
            {"name": "Compares", "when": _at_least("product_views", 2)},
            {"name": "Looks around", "when": _at_least("visits", 1)},
        ],
        "Not yet aware",
        "Stages after Engel, Kollat & Blackwell (1968), Consumer Behavior. By which counts, of a "
        "period of the user's choice, they are told is a convention.",
    ),
    "negative": RuleSet(
        "negative",
        [
            {"name": "Opted out", "when": {"column": "opted_out", "equals": True}},
            {"name": "Serial returners", "when": _at_least("return_share", 0.5)},
            {"name": "Unprofitable", "when": _below("profit", 0)},
        ],
        "Addressable",
        "Convention: whom not to address. For unprofitable customers see Shah, Kumar, Qu & Chen "
        "(2012), Unprofitable cross-buying, Journal of Marketing 76(3).",
    ),
}
