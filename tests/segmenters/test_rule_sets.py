"""The ready rule sets: what their sources say of single customers, and bands of one's own."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from segkit import RuleSegmenter
from segkit.exceptions import SegkitTypeError, SegkitValueError, SegkitWarning

BASES = list(dict.fromkeys(RuleSegmenter.bases()["base"]))


def quiet_fit(segmenter, frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return segmenter.fit(frame)


def named(base, values, **parameters):
    """Return the segments of customers with these values, in the one column of a set."""
    if base == "income":
        parameters = {"scale": 1, **parameters}
    segmenter = RuleSegmenter.from_base(base, column="value", **parameters)
    frame = pd.DataFrame({"value": values})
    return quiet_fit(segmenter, frame).predict_segments(frame).tolist()


# Each from the source that the set names; bounds on both sides.
KNOWN = {
    "age": {24.9: "Under 25", 25: "25 to 34", 64: "55 to 64", 75: "75 and older", 123: "Unknown"},
    "generation": {
        1927: "Unknown",
        1945: "Silent",
        1946: "Boomers",
        1964: "Boomers",
        1965: "Generation X",
        1980: "Generation X",
        1981: "Millennials",
        1996: "Millennials",
        1997: "Generation Z",
        2012: "Generation Z",
    },
    "income": {0.49: "Poor", 0.5: "Lower income", 0.75: "Middle income", 2.0: "Upper income"},
    "world_region": {
        "DE": "Europe",
        "US": "Northern America",
        "MX": "Latin America and the Caribbean",
        "JP": "Asia",
        "NA": "Africa",
        "NZ": "Oceania",
        "TR": "Asia",
        "CY": "Asia",
        "RU": "Europe",
        "XX": "Unknown",
    },
    "population_density": {1_500: "Urban", 1_499: "Suburban", 300: "Suburban", 299: "Rural"},
    "settlement": {
        "Urban": "Urban",
        "Surburban": "Suburban",  # as Hillstrom's file has it
        "suburban": "Suburban",
        "towns and suburbs": "Suburban",
        "Rural": "Rural",
        "cities": "Urban",
        "at sea": "Unknown",
    },
    "device": {
        "iPad": "Tablet",
        "Mobile": "Mobile",
        "iPhone": "Mobile",
        "desktop": "Desktop",
        "Smart TV": "Television",
        "Android TV": "Television",
        "kiosk": "Unknown",
        "fridge": "Unknown",
    },
    "operating_system": {
        "Windows 11": "Windows",
        "iOS": "iOS",
        "macOS": "macOS",
        "Mac OS X": "macOS",
        "Android 14": "Android",
        "Chrome OS": "ChromeOS",
        "Ubuntu": "Linux",
        "BeOS": "Other",
    },
    "browser": {
        "Chrome 120 Safari": "Chrome",
        "Microsoft Edge": "Edge",
        "Mobile Safari": "Safari",
        "Lynx": "Other",
    },
    "company_size": {9: "Micro", 10: "Small", 49: "Small", 50: "Medium", 250: "Large"},
    "company_revenue": {1_999_999: "Micro", 2_000_000: "Small", 5e7: "Large"},
    "industry": {
        1: "Agriculture, forestry and fishing",
        33: "Manufacturing",
        34: "Unknown",  # there is no division 34
        47: "Trade and repair of vehicles",
        62: "Information and communication",
        84: "Public administration",
        85: "Education",
        99: "Extraterritorial organisations",
    },
    "loyalty": {0: "Not yet", 1: "One-time", 4: "Repeat", 5: "Loyal"},
    "recommendation": {6: "Detractors", 7: "Passives", 8: "Passives", 9: "Promoters"},
}  # fmt: skip


@pytest.mark.parametrize("base", KNOWN)
def test_customers_are_where_the_source_puts_them(base):
    assert named(base, list(KNOWN[base])) == list(KNOWN[base].values())


@pytest.mark.parametrize(
    ("base", "rows"),
    {
        "household": [
            ({"adults": 1, "children": 0}, "One adult without children"),
            ({"adults": 2, "children": 3}, "Two adults with children"),
            ({"adults": 5, "children": 0}, "Three or more adults without children"),
            ({"adults": 0, "children": 1}, "Unknown"),
        ],
        "company_stage": [
            ({"employees": 20, "company_age_years": 3}, "Startup"),
            ({"employees": 20, "company_age_years": 10}, "Small"),
            ({"employees": 80, "company_age_years": 3}, "Mid-size"),
            ({"employees": 250, "company_age_years": 90}, "Enterprise"),
        ],
        "buying_stage": [
            ({"orders": 1, "carts": 0, "product_views": 0, "visits": 0}, "Bought"),
            ({"orders": 0, "carts": 1, "product_views": 9, "visits": 4}, "Decides"),
            ({"orders": 0, "carts": 0, "product_views": 2, "visits": 1}, "Compares"),
            ({"orders": 0, "carts": 0, "product_views": 1, "visits": 1}, "Looks around"),
            ({"orders": 0, "carts": 0, "product_views": 0, "visits": 0}, "Not yet aware"),
        ],
        "negative": [
            ({"opted_out": True, "return_share": 0.9, "profit": -5}, "Opted out"),
            ({"opted_out": False, "return_share": 0.5, "profit": -5}, "Serial returners"),
            ({"opted_out": False, "return_share": 0.1, "profit": -5}, "Unprofitable"),
            ({"opted_out": False, "return_share": 0.1, "profit": 0}, "Addressable"),
        ],
    }.items(),
)
def test_sets_of_several_columns_read_them_together(base, rows):
    frame = pd.DataFrame([row for row, _ in rows])
    segmenter = quiet_fit(RuleSegmenter.from_base(base), frame)
    assert segmenter.predict_segments(frame).tolist() == [expected for _, expected in rows]


@pytest.mark.parametrize("base", BASES)
def test_every_set_is_json_and_each_of_its_rules_can_be_reached(base):
    segmenter = RuleSegmenter.from_base(base, scale=1 if base == "income" else None)
    again = RuleSegmenter(json.loads(json.dumps(segmenter.rules)), default=segmenter.default)
    columns = {
        part["column"]
        for rule in segmenter.rules
        for part in [rule["when"], *rule["when"].get("all", [])]
        if "column" in part
    }
    quiet_fit(again, pd.DataFrame(dict.fromkeys(columns), index=range(2)))
    known = RuleSegmenter.bases().query("base == @base")
    assert known["segment"].tolist() == again.segments_.tolist()
    assert known["source"].str.len().min() > 30


def test_each_country_is_in_one_region():
    rules = RuleSegmenter.from_base("world_region").rules
    codes = [code for rule in rules for code in rule["when"]["in"]]
    # ISO 3166-1 has 249 codes; M49 puts Antarctica nowhere, and Kosovo has a code of its own use.
    assert len(codes) == len(set(codes)) == 249
    assert all(len(code) == 2 and code.isupper() for code in codes)


def test_bands_of_ones_own_are_the_whole_table_of_one_column():
    bands = {"Young": (None, 40), "Old": (40, None)}
    assert named("age", [-5, 39, 40, 130, None], bands=bands) == [
        "Young", "Young", "Old", "Old", "Unknown",
    ]  # fmt: skip
    assert named("operating_system", ["a", "b", "c"], bands={"A or B": ["a", "b"]}) == [
        "A or B", "A or B", "Other",
    ]  # fmt: skip


def test_bands_of_ones_own_take_the_place_of_those_of_their_name_among_several_columns():
    segmenter = RuleSegmenter.from_base(
        "negative",
        column={"profit": "margin"},
        bands={"Serial returners": (0.3, None), "Unprofitable": (None, -10)},
    )
    frame = pd.DataFrame(
        {"opted_out": [False] * 3, "return_share": [0.3, 0, 0], "margin": [0, -10, -11]}
    )
    found = quiet_fit(segmenter, frame).predict_segments(frame).tolist()
    assert found == ["Serial returners", "Addressable", "Unprofitable"]


def test_scale_multiplies_the_bounds():
    assert named("income", [20_000, 40_000, 90_000], scale=40_000) == [
        "Lower income", "Middle income", "Upper income",
    ]  # fmt: skip


def test_the_table_of_a_set_is_not_changed_by_changing_its_rules():
    first = RuleSegmenter.from_base("household")
    first.rules[0]["when"]["all"].clear()
    assert RuleSegmenter.from_base("household").rules[0]["when"]["all"]


WRONG = [
    (("companysize",), {}, "Did you mean 'company_size'"),
    (("negative",), {"column": "profit"}, "Pass column as a mapping"),
    (("negative",), {"column": {"proft": "x"}}, "column has ['proft']"),
    (("negative",), {"bands": {"Rude": (1, 2)}}, "got ['Rude']"),
    (("household",), {"bands": {"One adult with children": (1, 2)}}, "must be a condition"),
    (("age",), {"bands": {"Young": 40}}, "a band is a pair"),
    (("age",), {"bands": {}}, "bands must be a mapping"),
    (("age",), {"scale": 0}, "scale must be a positive number"),
    (("age",), {"column": 5}, "column must be the name"),
]


@pytest.mark.parametrize(("base", "parameters", "said"), WRONG)
def test_what_a_set_does_not_have_is_refused(base, parameters, said):
    with pytest.raises((SegkitTypeError, SegkitValueError)) as raised:
        RuleSegmenter.from_base(*base, **parameters)
    assert said in str(raised.value)


EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0"
)
OPERA = EDGE.replace("Edg/120.0.0.0", "OPR/106.0.0.0")
EDGE_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; HD1913) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Mobile Safari/537.36 EdgA/120.0.0.0"
)
SAFARI_ON_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.2 Mobile/15E148 Safari/604.1"
)
CHROME_ON_IPHONE = SAFARI_ON_IPHONE.replace("Version/17.2", "CriOS/120.0.6099.119")
FIREFOX_ON_LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"
SAFARI_ON_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_2) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.2 Safari/605.1.15"
)


@pytest.mark.parametrize(
    ("agent", "browser", "operating_system", "device"),
    [
        (EDGE, "Edge", "Windows", "Desktop"),
        (OPERA, "Opera", "Windows", "Desktop"),
        (EDGE_ON_ANDROID, "Edge", "Android", "Mobile"),
        (SAFARI_ON_IPHONE, "Safari", "iOS", "Mobile"),
        (CHROME_ON_IPHONE, "Chrome", "iOS", "Mobile"),
        (FIREFOX_ON_LINUX, "Firefox", "Linux", "Desktop"),
        (SAFARI_ON_MAC, "Safari", "macOS", "Desktop"),
    ],
)
def test_user_agents_are_read_in_spite_of_the_names_they_borrow(
    agent, browser, operating_system, device
):
    assert named("browser", [agent]) == [browser]
    assert named("operating_system", [agent]) == [operating_system]
    assert named("device", [agent]) == [device]


def test_codes_for_no_answer_are_nobodys():
    assert named("recommendation", [99, -1, 10, 0]) == [
        "Not asked", "Not asked", "Promoters", "Detractors",
    ]  # fmt: skip
    assert named("company_size", [-1, 0]) == ["Unknown", "Micro"]


def test_income_asks_for_the_median():
    with pytest.raises(SegkitValueError, match="shares of the median household income"):
        RuleSegmenter.from_base("income", column="Income")
    own = RuleSegmenter.from_base("income", bands={"Much": (90_000, None)})
    assert own.rules[0]["when"]["at_least"] == 90_000


def test_scale_may_be_a_number_of_numpy_and_no_truth():
    rules = RuleSegmenter.from_base("income", scale=np.int64(40_000)).rules
    assert json.dumps(rules) == json.dumps(RuleSegmenter.from_base("income", scale=40_000).rules)
    for wrong in (True, np.True_, "median"):
        with pytest.raises(SegkitValueError, match="scale must be a positive number"):
            RuleSegmenter.from_base("income", scale=wrong)


def test_a_band_may_name_the_column_as_the_frame_does():
    bands = {
        "Old": {"column": "value", "at_least": 40},
        "Young": {"column": "age", "below": 40},
    }
    assert named("age", [39, 40], bands=bands) == ["Young", "Old"]


def test_columns_may_be_swapped_and_conditions_may_share_their_parts():
    few = {"column": "adults", "below": 3}
    segmenter = RuleSegmenter.from_base(
        "household",
        column={"adults": "children", "children": "adults"},
        bands={"One adult with children": {"any": [few, {"all": [few, few]}]}},
    )
    band = next(r for r in segmenter.rules if r["name"] == "One adult with children")["when"]
    swapped = {"column": "children", "below": 3}
    assert band == {"any": [swapped, {"all": [swapped, swapped]}]}
    assert few == {"column": "adults", "below": 3}
