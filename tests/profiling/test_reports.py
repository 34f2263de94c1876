"""Reports: what is withheld, and what Markdown and HTML make of any name."""

import builtins
import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from segkit import SegmentProfiler
from segkit.profiling._report_html import _filled
from segkit.profiling._suppression import _withheld

CUSTOMERS = pd.DataFrame(
    {
        "spend": np.tile([10.0, 20.0, 30.0, 40.0], 50),
        "channel": ["web"] * 100 + ["shop"] * 92 + ["fax"] * 8,
        "vip": [True] * 4 + [False] * 196,
    }
)
SEGMENTS = np.array(["a", "b"] * 85 + ["c"] * 25 + ["d"] * 5)


def fitted(**parameters):
    return SegmentProfiler(value="spend", **parameters).fit(CUSTOMERS, y=SEGMENTS)


def test_cells_below_the_floor_are_withheld_and_another_where_it_would_give_them_away():
    counts = np.array([[50, 40, 3], [60, 30, 20], [9, 80, 70]])
    # By hand: 3 and 9 are small. Each is alone in its row and in its column: 40 goes with 3 and 70
    # with 9 in the rows; then column 0 has 9 alone, so 50 goes, column 1 has 40 alone, so 30 goes,
    # column 2 has 3 and 70; then row 1 has 30 alone, so 20 goes.
    assert _withheld(counts, 10).tolist() == [
        [True, True, True, False],
        [False, True, True, False],
        [True, False, True, False],
    ]


def test_what_is_withheld_of_a_row_or_column_is_two_cells_of_enough_customers_together():
    rng = np.random.default_rng(0)
    for _ in range(200):
        counts = rng.poisson(rng.gamma(1, 40, (rng.integers(1, 6), rng.integers(2, 6))))
        hidden = _withheld(counts, 10)[:, :-1]
        assert hidden[(counts > 0) & (counts < 10)].all()
        for table, cells in ((counts, hidden), (counts.T, hidden.T)):
            if table.shape[1] == 1:
                continue
            for row, withheld in zip(table, cells, strict=True):
                is_safe = withheld.sum() > 1 and row[withheld].sum() >= 10
                assert not withheld.any() or is_safe or not (row[~withheld] > 0).any()


def test_that_nobody_is_in_a_cell_is_told_of_large_segments_only():
    counts = np.array([[50, 0, 5], [60, 70, 0], [0, 30, 0]])
    hidden = _withheld(counts, 10)
    assert hidden[:, 2].all()  # all of five customers
    assert not hidden[2, 0]
    assert not hidden[0, 1]


def test_the_profile_marks_what_is_small_and_keeps_it():
    profile = fitted().profile_
    small = profile.loc[profile["is_small"]]
    assert set(small.loc[small["variable"] == "(size)", "segment"]) == {"c", "d"}
    assert small["customers"].notna().all()
    # The five customers of "d", and next to them the smallest other segment.
    assert set(profile.loc[profile["segment"] == "d", "is_small"]) == {True}


@pytest.mark.parametrize("form", ["to_markdown", "to_html"])
def test_reports_withhold_small_segments_and_levels(form):
    text = getattr(fitted(), form)()
    assert "size withheld: too few customers, or next to too few" in text
    assert "withheld: fewer than 10 customers" in text
    rows = re.findall(r"<tr>.*?</tr>|\| [^\n]*", text, flags=re.DOTALL)
    sizes = [re.sub("<[^>]*>", " ", row).split() for row in rows]
    of_d = next(row for row in sizes if "d" in row)
    assert not any(re.fullmatch(r"\d+", word) for word in of_d)
    fax = next(row for row in sizes if "fax" in row)
    # Nobody of the two large segments, and of the others and of everyone too few.
    assert (fax.count("·"), fax.count("0")) == (3, 2)


def test_a_lower_floor_shows_more():
    assert "withheld" not in fitted(min_cell=1).to_markdown()
    assert not fitted(min_cell=1).profile_["is_small"].any()


def test_few_unassigned_customers_are_not_counted_out():
    labels = np.where(np.arange(200) < 3, None, SEGMENTS)
    text = SegmentProfiler().fit(CUSTOMERS, y=labels).to_markdown()
    assert "fewer than 10 without a segment" in text
    labels = np.where(np.arange(200) < 30, None, SEGMENTS)
    text = SegmentProfiler().fit(CUSTOMERS, y=labels).to_markdown()
    assert "170 customers in 4 segments; 30 without a segment, not counted." in text


def test_a_wide_table_has_a_column_a_segment_and_misses_what_is_small():
    table = fitted().to_frame("share")
    assert table.columns.tolist() == ["variable", "level", "a", "b", "c", "d", "(everyone)"]
    fax = table.query("level == 'fax'").iloc[0]
    assert fax[["a", "b"]].tolist() == [0, 0]
    assert fax[["c", "d", "(everyone)"]].isna().all()
    complete = fitted().to_frame("share", suppress=False)
    expected = pd.crosstab(CUSTOMERS["channel"], SEGMENTS, normalize="columns")
    np.testing.assert_allclose(
        complete.set_index("level").loc[expected.index, ["a", "b", "c", "d"]], expected
    )


def test_representatives_are_named_only_when_asked_for():
    profiler = fitted()
    rows = ", ".join(map(str, profiler.personas_["a"].representatives))
    for form in (profiler.to_markdown, profiler.to_html):
        assert f"rows {rows}" not in form()
        assert f"rows {rows}" in form(representatives=True)


def test_any_name_is_text_and_no_markup():
    customers = pd.DataFrame({"<b>spend|$x$</b>": [1.0, 2, 3, 4] * 10, "kind": ["<i>", "&"] * 20})
    labels = ["<script>alert(1)</script>", "a|b"] * 20
    profiler = SegmentProfiler(groups={"<u>": ["kind"]}).fit(customers, y=labels)
    text = profiler.to_html(title="<h1>")
    for name in ("<script>", "<b>spend", "<i>", "<u>", "<h1><", "&<"):
        assert name not in text.replace("<h1>&lt;h1&gt;", "")
    assert "&lt;script&gt;" in text
    markdown = profiler.to_markdown()
    assert "| a\\|b |" in markdown
    assert "<script>" not in markdown.replace("\\<script>", "")


@pytest.mark.parametrize("with_great_tables", [False, True])
def test_names_of_every_kind_break_no_report(with_great_tables, monkeypatch):
    if with_great_tables:
        pytest.importorskip("great_tables")
    else:
        monkeypatch.setitem(sys.modules, "great_tables", None)
    script = '<script>alert("x")</script>'
    customers = pd.DataFrame(
        {
            script: np.r_[np.arange(40.0), 3 * np.arange(40)],
            "k|\nrow": [script, "a|b\nc"] * 40,
            "'\"": ["it's", "&amp;"] * 40,
            "# _i_": np.arange(80) % 5 * 1.5,
            "<i>left out": None,
        }
    )
    labels = np.repeat([script, "- **x**\n# head [l](http://x)"], 40)
    groups = {script: ["k|\nrow"], "two\nlines": ["'\""]}
    profiler = SegmentProfiler(groups=groups, value=script).fit(customers, labels)
    page = profiler.to_html(title=script)
    assert ("gt_table" in page) == with_great_tables
    assert "<script" not in page
    assert "<i>" not in page
    assert "&amp;amp;" in page
    for line in profiler.to_markdown(title=script).splitlines():
        assert not re.search(r"(?<!\\)(<script|<i>|\*\*x|\[l|&amp;)", line)
        if line.startswith("|"):
            unescaped = len(re.findall(r"(?<!\\)\|", line))
            assert unescaped in (5, 6)  # the columns of each table, and one more
        else:
            assert not line or line[0] in "#-*48"  # no line that a name has broken


def test_signs_in_numbers_are_no_markup_either():
    assert _filled("<0.1 %", np.nan) == "&lt;0.1 %"
    assert _filled("<0.1 %", 20.0).count("<") == 2  # of the span


def test_a_segment_may_be_called_everyone():
    labels = np.where(SEGMENTS == "a", "everyone", "b")
    text = SegmentProfiler().fit(CUSTOMERS, y=labels).to_markdown()
    assert "| variable | b | everyone | (everyone) |" in text


def test_variables_stand_by_group_and_the_rest_behind():
    text = fitted(groups={"channels": ["channel"]}, min_cell=1).to_html()
    places = [
        text.index(one) for one in (">channels<", "channel: web", ">other<", "spend (median)")
    ]
    assert places == sorted(places)


def test_counts_whose_medians_are_alike_are_told_by_their_means():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    X = pd.DataFrame({"returns": rng.poisson(0.1 * (1 + labels)), "spend": rng.normal(9, 1, 600)})
    text = SegmentProfiler().fit(X, y=labels).to_markdown()
    assert "returns (mean)" in text
    assert "spend (median)" in text


def test_the_basis_is_said_to_be_descriptive():
    text = fitted(basis=["spend"]).to_markdown()
    assert re.search(r"\| spend \| ε = \d\.\d\d \| Kruskal-Wallis \| descriptive \|", text)
    assert "differ by construction" in text


def test_html_needs_no_great_tables(monkeypatch):
    real_import = builtins.__import__

    def without(name, *arguments, **keywords):
        if name == "great_tables":
            raise ImportError(name)
        return real_import(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    assert 'class="dataframe"' in fitted().to_html().split("<h2>Profile</h2>")[1]


def test_html_is_made_by_great_tables_where_it_is_installed():
    pytest.importorskip("great_tables")
    table = fitted(groups={"channels": ["channel"]}, min_cell=1).to_html().split("Profile</h2>")[1]
    assert "gt_table" in table
    assert "channel: web" in table


def test_reports_come_after_fit():
    for form in ("to_frame", "to_markdown", "to_html"):
        with pytest.raises(NotFittedError):
            getattr(SegmentProfiler(), form)()


def test_the_size_of_a_small_segment_does_not_follow_from_what_is_missing():
    labels = ["a"] * 5 + ["b"] * 50 + ["c"] * 60
    values = np.arange(115.0)
    values[60:80] = np.nan  # of c
    profiler = SegmentProfiler(min_cell=10).fit(pd.DataFrame({"v": values}), labels)
    for statistic in ("customers", "missing_share"):
        told = profiler.to_frame(statistic)
        # a, and b, whose size would give away that of a.
        assert told[["a", "b"]].isna().all(axis=None)


def test_what_is_missing_for_a_few_customers_is_not_told():
    labels = np.repeat(["a", "b", "c"], [12, 100, 88])
    frame = pd.DataFrame({"v": np.arange(200.0), "k": ["x", "y"] * 100})
    frame.loc[[3], ["v", "k"]] = None  # 1 of the 12 of a
    frame.loc[150:180, ["v", "k"]] = None  # 31 of c
    profiler = SegmentProfiler(min_cell=10).fit(frame, labels)
    for statistic in ("customers", "missing_share"):
        told = profiler.to_frame(statistic).query("variable in ['v', 'k']")
        # a, and c, whose number would give away that of a; nobody of b is missing.
        assert told[["a", "c"]].isna().all(axis=None)
        assert told[["b", "(everyone)"]].notna().all(axis=None)
    assert (
        profiler.to_frame("missing_share", suppress=False)["a"].tolist()
        == [pytest.approx(1 / 12)] * 3
    )
    frame.loc[150:180, ["v", "k"]] = 1.0, "x"  # 1 of all
    told = SegmentProfiler(min_cell=10).fit(frame, labels).to_frame("customers")
    assert told.query("variable in ['v', 'k']")[["a", "(everyone)"]].isna().all(axis=None)
