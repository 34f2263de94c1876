"""Personas: every number of a sentence stands in the profile, and the sentences say what is so."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest

from segkit import SegmentProfiler
from segkit.profiling._representatives import Representatives
from segkit.profiling._variables import Variable
from segkit.profiling._words import (
    date_text,
    number_text,
    p_text,
    ratio_text,
    share_text,
)


def make_customers(n_rows=600):
    rng = np.random.default_rng(0)
    top = rng.random(n_rows) < 0.3
    return pd.DataFrame(
        {
            "monetary": rng.lognormal(np.where(top, 6, 3), 0.5).round(2),
            "recency_days": rng.poisson(np.where(top, 12, 60)),
            "age": rng.normal(np.where(top, 52, 40), 8).round(),
            "channel": np.where(rng.random(n_rows) < 0.4 + 0.4 * top, "e-mail", "post"),
            "responded": rng.random(n_rows) < np.where(top, 0.5, 0.1),
            "noise": rng.normal(size=n_rows),
            "since": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 200, n_rows) + 200 * ~top, unit="D"),
            "segment": np.where(top, "top", "rest"),
        }
    )


CUSTOMERS = make_customers()
FITTED = SegmentProfiler(
    value="monetary",
    groups={"demographic": ["age", "noise"], "channel preference": ["channel"]},
    phrases={"channel": "{} prefer {level}", "age": "{} years old"},
    n_traits=9,
).fit(CUSTOMERS, y="segment")
TOP = FITTED.personas_["top"]


def row_of(segment, trait):
    rows = FITTED.profile_
    rows = rows.loc[(rows["segment"] == segment) & (rows["variable"] == trait.variable)]
    if trait.level is not None:
        rows = rows.loc[rows["level"] == trait.level]
    return rows.iloc[0]


def test_sentences_read_as_a_person_would_say_them():
    said = {trait.variable: trait.text for trait in TOP.traits}
    top, everyone = CUSTOMERS.query("segment == 'top'"), CUSTOMERS
    ratio = top["monetary"].mean() / everyone["monetary"].mean()
    assert said["monetary"] == (
        f"spends {ratio:.1f}× the average (mean {top['monetary'].mean():,.0f}; everyone "
        f"{everyone['monetary'].mean():,.0f})"
    )
    assert said["recency_days"] == (
        f"last ordered {top['recency_days'].median():.0f} days ago (median; everyone "
        f"{everyone['recency_days'].median():.0f})"
    )
    share = (top["channel"] == "e-mail").mean()
    base = (everyone["channel"] == "e-mail").mean()
    assert said["channel"] == f"{share:.0%} prefer e-mail (base {base:.0%})".replace("%", " %")
    assert said["age"].startswith(f"{top['age'].median():.0f} years old (median; everyone ")
    assert said["responded"].startswith("responded: ")
    assert re.fullmatch(r"since: \d{4}-\d\d-\d\d \(median; everyone .*\)", said["since"])
    assert "noise" not in said


@pytest.mark.parametrize("segment", ["top", "rest"])
def test_every_number_of_a_sentence_stands_in_the_profile(segment):
    persona = FITTED.personas_[segment]
    traits = [*persona.traits, *(one for group in persona.groups.values() for one in group)]
    assert traits
    for trait in traits:
        row, base = row_of(segment, trait), row_of("(everyone)", trait)
        assert trait.value == row[trait.statistic]
        assert trait.everyone == base[trait.statistic]
        allowed = {
            number_text(row["mean"]),
            number_text(base["mean"]),
            number_text(row["median"]),
            number_text(base["median"]),
            ratio_text(row["index"] / 100).rstrip("×"),
            share_text(row["share"]).rstrip(" %"),
            share_text(base["share"]).rstrip(" %"),
            date_text(row["date_median"]),
            date_text(base["date_median"]),
        }
        numbers = re.findall(r"\d{4}-\d\d-\d\d|\d[\d,]*\.?\d*", trait.text)
        assert len(numbers) >= 2
        assert set(numbers) <= allowed, trait.text


def test_traits_are_ordered_by_strength_and_those_of_groups_need_not_be_distinctive():
    strengths = [abs(trait.strength) for trait in TOP.traits]
    assert strengths == sorted(strengths, reverse=True)
    assert all(trait.is_distinctive for trait in TOP.traits)
    assert [*TOP.groups] == ["demographic", "channel preference"]
    demographic = {trait.variable: trait.is_distinctive for trait in TOP.groups["demographic"]}
    assert demographic == {"age": True, "noise": False}


def test_small_cells_are_in_no_sentence():
    n_rows = 400
    segment = np.repeat(["a", "b"], n_rows // 2)
    rare = np.where(np.arange(n_rows) < 9, "rare", "usual")
    X = pd.DataFrame({"kind": rare, "number": np.arange(n_rows) % 7.0})
    X.loc[200:, "number"] += 5
    X.loc[np.arange(9, 200), "number"] = np.nan
    for min_cell, told in ((10, set()), (5, {"kind", "number"})):
        persona = SegmentProfiler(min_cell=min_cell).fit(X, y=segment).personas_["a"]
        assert {trait.variable for trait in persona.traits} == told


def test_a_difference_that_may_be_chance_is_no_trait():
    X = pd.DataFrame({"spend": [1.0, 2, 3, 4, 5, 2, 3, 4, 5, 6]})
    profiler = SegmentProfiler(min_cell=1, groups={"all": ["spend"]}).fit(X, y=[0] * 5 + [1] * 5)
    trait = profiler.personas_["1"].groups["all"][0]
    assert trait.strength > 0.2
    assert not trait.is_distinctive


def test_no_more_traits_are_told_than_asked_for():
    few = SegmentProfiler(n_traits=2).fit(CUSTOMERS, y="segment").personas_["top"]
    assert [one.variable for one in few.traits] == [one.variable for one in TOP.traits[:2]]


def test_strength_does_not_hang_on_outliers():
    rng = np.random.default_rng(0)
    spend = rng.normal(100, 10, 400)
    spend[:200] += 15
    spend[:4] = 1e7  # four customers who hide the difference from means and deviations
    profiler = SegmentProfiler().fit(pd.DataFrame({"spend": spend}), y=[0] * 200 + [1] * 200)
    trait = SegmentProfiler().fit(pd.DataFrame({"spend": spend[4:]}), y=[0] * 196 + [1] * 200)
    expected = trait.personas_["0"].traits[0].strength
    rows = profiler.profile_.query("variable == 'spend' and segment == '0'")
    assert rows["difference"].iloc[0] < 0.3 < expected
    assert rows["dominance"].iloc[0] == pytest.approx(
        trait.profile_.query("variable == 'spend' and segment == '0'")["dominance"].iloc[0],
        abs=0.01,
    )


def test_where_mean_and_median_disagree_the_median_is_told():
    # Most of a's customers spend less than b's; one spends so much that the mean says more.
    spend = [1.0] * 29 + [4_000.0] + [50.0] * 30
    profiler = SegmentProfiler(min_cell=1).fit(
        pd.DataFrame({"spend": spend}), y=["a"] * 30 + ["b"] * 30
    )
    rows = profiler.profile_.query("variable == 'spend'").set_index("segment")
    assert rows.loc["a", "index"] > 100 > rows.loc["b", "index"]
    assert rows.loc["a", "dominance"] < 0
    grouped = SegmentProfiler(groups={"all": ["spend"]}, min_cell=1).fit(
        pd.DataFrame({"spend": spend}), y=["a"] * 30 + ["b"] * 30
    )
    trait = grouped.personas_["a"].groups["all"][0]
    assert (trait.statistic, trait.value) == ("median", 1.0)


def test_share_of_value_is_told_where_a_column_of_value_is_named():
    share = CUSTOMERS.query("segment == 'top'")["monetary"].sum() / CUSTOMERS["monetary"].sum()
    n_top = (CUSTOMERS["segment"] == "top").sum()
    expected = f"{n_top} customers ({n_top / 600:.0%}), {share:.0%} of value".replace("%", " %")
    assert TOP.headline() == expected
    without = SegmentProfiler().fit(CUSTOMERS, y="segment").personas_["top"]
    assert without.share_of_value is None
    assert "value" not in without.headline()


def test_a_persona_reads_as_text():
    text = str(TOP)
    assert text.startswith(f"top: {TOP.headline()}\n- ")
    assert "\nchannel preference:\n- " in text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.123456, "0.123"),
        (3.14159, "3.14"),
        (31.4159, "31.4"),
        (314.159, "314"),
        (1234567.8, "1,234,568"),
        (1970.0, "1970"),
        (1970.4, "1970"),
        (9999.4, "9999"),
        (9999.5, "10,000"),
        (-0.5, "-0.5"),
        (2.0, "2"),
        (1e-7, "1.00e-07"),
        (float("nan"), "–"),
    ],
)
def test_numbers_have_three_digits(number, text):
    assert number_text(number) == text


def test_shares_ratios_and_p_values_never_round_to_what_they_are_not():
    assert [share_text(one) for one in (0, 0.0001, 0.004, 0.415, 0.9999, 0.997, 1)] == [
        *("0 %", "<0.1 %", "0.4 %", "42 %", ">99.9 %", "99.7 %", "100 %"),
    ]
    assert [share_text(one) for one in (0.0095, 0.0144, 0.05, 0.0994, 0.0996)] == [
        *("0.9 %", "1.4 %", "5.0 %", "9.9 %", "10 %"),
    ]
    assert [ratio_text(one) for one in (0.001, 0.123, 1.04, 3.14, 31.4)] == [
        *("<0.01×", "0.12×", "1.0×", "3.1×", "31×"),
    ]
    assert [p_text(one) for one in (1e-9, 0.0456, float("nan"))] == ["<0.001", "0.046", "–"]


def test_a_level_of_few_customers_is_not_told_not_even_by_everyones_share():
    n = 400
    labels = np.repeat(["a", "b"], n // 2)
    status = np.array(["single", "married"] * (n // 2), dtype=object)
    status[[n - 1, n - 2, n - 3]] = "alone"  # three customers, none of them in a
    frame = pd.DataFrame({"status": status, "spend": np.arange(n)})
    groups = {"demographic": ["status"]}
    profiler = SegmentProfiler(groups=groups).fit(frame, labels)
    for segment in ("a", "b"):
        traits = profiler.personas_[segment].groups.get("demographic", ())
        assert all(trait.level != "alone" for trait in traits)
    assert "alone (base" not in profiler.to_markdown() + profiler.to_html()


def test_of_a_category_that_sets_nothing_apart_the_level_of_most_is_told():
    channel = ["web"] * 60 + ["shop"] * 39 + ["fax"] + ["web"] * 59 + ["shop"] * 37 + ["fax"] * 4
    frame = pd.DataFrame({"channel": channel, "spend": np.arange(200)})
    profiler = SegmentProfiler(groups={"all": ["channel"]}, min_cell=1)
    personas = profiler.fit(frame, np.repeat(["a", "b"], 100)).personas_
    assert [one.text for one in personas["a"].groups["all"]] == ["channel: 60 % web (base 60 %)"]


def test_all_segments_are_told_of_a_number_by_the_same_statistic():
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], 100)
    # Most buy nothing, so that all medians are 0; ranks and means of b and c disagree.
    spend = np.zeros(300)
    spend[:30], spend[100:120], spend[200:225] = rng.lognormal(2, 1, 30), 9.0, 1.0
    grouped = SegmentProfiler(groups={"outcome": ["spend"]})
    personas = grouped.fit(pd.DataFrame({"spend": spend}), labels).personas_
    traits = [persona.groups["outcome"][0] for persona in personas.values()]
    assert {trait.statistic for trait in traits} == {"mean"}
    for segment, trait in zip(personas, traits, strict=True):
        assert trait.value == pytest.approx(spend[labels == segment].mean())


def test_a_persona_is_found_by_the_label_that_was_given():
    X = pd.DataFrame({"spend": np.arange(40.0)})
    personas = SegmentProfiler().fit(X, np.repeat([0, 3], 20)).personas_
    assert personas[0] is personas["0"]
    assert personas[np.int64(3)] is personas[3.0] is personas["3"]
    assert [*personas] == ["0", "3"]
    with pytest.raises(KeyError, match=r"no segment '1'; there are \['0', '3'\]"):
        personas[1]
    copied = pickle.loads(pickle.dumps(personas))
    assert copied[0] == personas[0]


# Representatives.


def test_representatives_are_medoids_by_gowers_distance():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 60)
    numbers = np.where(rng.random(60) < 0.1, np.nan, rng.lognormal(size=60))
    levels = rng.integers(-1, 3, 60)
    found = Representatives(codes, 2, 2)
    found.add(Variable("n", "number", numbers))
    found.add(Variable("c", "category", levels, list("abc")))

    # The same by all pairs, each variable divided by its mean over all customers.
    totals = np.zeros(60)
    for values, is_number in ((numbers, True), (levels, False)):
        cost = np.zeros(60)
        for segment in range(2):
            inside = np.flatnonzero(codes == segment)
            for row in inside:
                if is_number:
                    pairs = np.abs(values[row] - values[inside])
                    cost[row] = np.nan if np.isnan(values[row]) else np.nanmean(pairs)
                else:
                    differ = (values[row] != values[inside]) | (values[row] < 0)
                    cost[row] = differ.mean()
            if is_number:
                far = np.nanmax(cost[inside])
                cost[inside] = np.where(np.isnan(cost[inside]), far, cost[inside])
        totals += cost / cost.mean()
    for segment, rows in enumerate(found.rows()):
        inside = np.flatnonzero(codes == segment)
        assert list(rows) == inside[np.argsort(totals[inside])][:2].tolist()


def test_representatives_do_not_hang_on_the_unit_of_a_number():
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"spend": rng.lognormal(size=300), "orders": rng.poisson(4, 300) + 0.5})
    y = rng.integers(0, 2, 300)
    euros = SegmentProfiler().fit(X, y=y).personas_
    cents = SegmentProfiler().fit(X.assign(spend=X["spend"] * 1024), y=y).personas_
    for segment, persona in euros.items():
        assert persona.representatives == cents[segment].representatives


def test_representatives_are_rows_of_the_whole_table_also_with_unassigned_customers():
    labels = np.array([-1, 0, -1, 0, 0, 1, 1, -1, 1])
    X = pd.DataFrame({"spend": [9.0, 1, 9, 2, 30, 50, 60, 9, 90]}, index=list("abcdefghi"))
    profiler = SegmentProfiler(n_representatives=1, min_cell=1).fit(X, y=labels)
    assert profiler.personas_["0"].representatives == (3,)
    assert profiler.personas_["1"].representatives == (6,)


def test_representatives_of_large_segments_are_looked_for_among_some_of_their_customers():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"spend": rng.normal(size=40_000)})
    profiler = SegmentProfiler().fit(X, y=rng.integers(0, 2, 40_000))
    for persona in profiler.personas_.values():
        assert np.abs(X["spend"].iloc[list(persona.representatives)]).max() < 0.05


def test_no_representatives_are_looked_for_where_none_are_wanted():
    profiler = SegmentProfiler(n_representatives=0).fit(CUSTOMERS, y="segment")
    assert profiler.personas_["top"].representatives == ()


def test_the_persona_of_few_customers_does_not_tell_how_many():
    labels = np.repeat(["few", "next", "most"], [4, 30, 166])
    spend = np.random.default_rng(0).lognormal(np.repeat([3.0, 5.0, 1.0], [4, 30, 166]))
    frame = pd.DataFrame({"spend": spend})
    personas = SegmentProfiler(value="spend").fit(frame, labels).personas_
    for segment in ("few", "next"):  # whose size would give away that of the few
        persona = personas[segment]
        assert str(persona) == f"{segment}: size withheld: too few customers, or next to too few"
        assert (persona.customers, persona.share, persona.share_of_value) == (None, None, None)
        assert persona.representatives == ()
    assert personas["most"].customers == 166
    complete = SegmentProfiler(value="spend", min_cell=1).fit(frame, labels).personas_
    assert complete["few"].customers == 4
