"""Rules as one reads them, a row at a time: what RuleSegmenter must say, written another way."""

import re

import hypothesis.strategies as st


def meets(when, row):
    """Tell whether a row, a dict with None where a value is missing, meets a condition."""
    if "all" in when:
        return all(meets(part, row) for part in when["all"])
    if "any" in when:
        return any(meets(part, row) for part in when["any"])
    if "not" in when:
        return not meets(when["not"], row)
    value = row[when["column"]]
    if "missing" in when:
        return (value is None) == when["missing"]
    if value is None:
        return False
    if "equals" in when:
        return value == when["equals"]
    if "in" in when:
        return value in when["in"]
    if "matches" in when:
        return re.search(when["matches"], value) is not None
    return when.get("at_least", value) <= value and not value >= when.get("below", float("inf"))


def segment(rules, row, default="Other"):
    """Return the name of the first rule that a row meets."""
    return next((rule["name"] for rule in rules if meets(rule["when"], row)), default)


_bounds = st.integers(0, 4)
_ranges = st.tuples(_bounds, _bounds).filter(lambda pair: pair[0] != pair[1]).map(sorted)


def _tests():
    of_numbers = st.sampled_from(["spend", "orders"])
    return st.one_of(
        st.builds(lambda c, v: {"column": c, "equals": v}, of_numbers, _bounds),
        st.builds(lambda c, v: {"column": c, "at_least": v}, of_numbers, _bounds),
        st.builds(lambda c, v: {"column": c, "below": v}, of_numbers, _bounds),
        st.builds(lambda c, r: {"column": c, "at_least": r[0], "below": r[1]}, of_numbers, _ranges),
        st.sampled_from(["Web", "Phone", "Shop"]).map(lambda v: {"column": "channel", "equals": v}),
        st.sampled_from([["Web", "Shop"], ["Phone"], ["Fax", "Web"]]).map(
            lambda v: {"column": "channel", "in": v}
        ),
        st.sampled_from(["^W", "o", "[pb]$", "(?i)w"]).map(
            lambda v: {"column": "channel", "matches": v}
        ),
        st.booleans().map(lambda v: {"column": "consent", "equals": v}),
        st.builds(
            lambda c, v: {"column": c, "missing": v},
            st.sampled_from(["spend", "channel", "consent"]),
            st.booleans(),
        ),
    )


conditions = st.recursive(
    _tests(),
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda listed: {"all": listed}),
        st.lists(parts, min_size=1, max_size=3).map(lambda listed: {"any": listed}),
        parts.map(lambda part: {"not": part}),
    ),
    max_leaves=4,
)

rule_lists = st.lists(conditions, min_size=1, max_size=4).map(
    lambda listed: [{"name": f"rule {place}", "when": when} for place, when in enumerate(listed)]
)
