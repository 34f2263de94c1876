"""Drift: known answers, what chance makes of it, and what the verdict rests on."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, chi2_contingency, false_discovery_control
from sklearn.cluster import DBSCAN, KMeans
from sklearn.exceptions import NotFittedError

from frames import as_kind
from segkit import RuleSegmenter, ValueTierer
from segkit.exceptions import ColumnError, SegkitTypeError, SegkitValueError
from segkit.metrics import population_stability_index
from segkit.monitoring import DriftReport

_RANDOM = np.random.default_rng(0)
BEFORE = pd.DataFrame(
    {
        "customer_id": np.arange(900),
        "monetary": _RANDOM.lognormal(3, 1, 900),
        "age": _RANDOM.normal(45, 10, 900),
        "channel": _RANDOM.choice(["shop", "web", "app"], 900, p=[0.5, 0.3, 0.2]),
        "tenure_days": _RANDOM.integers(1, 900, 900),
    }
)
AFTER = BEFORE.assign(
    monetary=BEFORE["monetary"] * _RANDOM.lognormal(0, 0.05, 900),
    age=BEFORE["age"] + 0.5,
    tenure_days=BEFORE["tenure_days"] + 365,
)
TIERER = ValueTierer(missing="unassigned").fit(BEFORE)


def found(after=AFTER, before=BEFORE, segmenter=TIERER, **options):
    return DriftReport.from_tables(segmenter, before, after, **options)


def row(report, variable):
    return report.report.set_index("variable").loc[variable]


def test_index_is_that_of_the_known_answer():
    # (.4 - .5) log(.4/.5) + (.35 - .3) log(.35/.3) + (.25 - .2) log(.25/.2)
    before = BEFORE.head(100).assign(channel=np.repeat(["shop", "web", "app"], [50, 30, 20]))
    after = BEFORE.head(100).assign(channel=np.repeat(["shop", "web", "app"], [40, 35, 25]))
    assert row(found(after, before), "channel")["psi"] == pytest.approx(0.041179, abs=5e-7)


def test_the_same_customers_are_tested_as_stuart_and_maxwell_do():
    # Vision of both eyes (Stuart 1955): the help page of R's coin::vision has Q = 11.96.
    counts = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
    pairs = [(i, j) for i in range(4) for j in range(4) for _ in range(counts[i][j])]
    right, left = np.array(pairs).T
    base = {"customer_id": np.arange(len(pairs)), "monetary": np.linspace(1, 2, len(pairs))}
    before = pd.DataFrame({**base, "vision": right.astype(str)})
    after = pd.DataFrame({**base, "vision": left.astype(str)}).sample(frac=1, random_state=0)
    report = found(after, before)
    assert row(report, "vision")["p_value"] == pytest.approx(chi2.sf(11.96, 3), abs=5e-5)
    assert row(report, "(segments)")["p_value"] == 1.0
    assert report.n_in_both == len(pairs)


def test_other_customers_are_tested_as_pearson_does():
    others = AFTER.assign(
        customer_id=np.arange(900) + 900, channel=AFTER["channel"].to_numpy()[::-1]
    )
    others.loc[:99, "channel"] = "app"
    report = found(others)
    counts = pd.crosstab(np.repeat([0, 1], 900), np.r_[BEFORE["channel"], others["channel"]])
    expected = chi2_contingency(counts, correction=False).pvalue
    assert row(report, "channel")["p_value"] == pytest.approx(expected)
    assert report.n_in_both == 0


def test_p_values_are_adjusted_for_all_rows():
    report = found(AFTER.assign(channel="web")).report
    tested = report.dropna(subset=["p_value"])
    np.testing.assert_allclose(tested["p_adjusted"], false_discovery_control(tested["p_value"]))
    assert len(tested) == 5


def test_index_of_numbers_is_between_quantiles_of_before():
    later = AFTER.assign(age=AFTER["age"] * 1.2)
    expected = population_stability_index(BEFORE["age"], later["age"])
    assert row(found(later), "age")["psi"] == pytest.approx(expected)
    coarser = population_stability_index(BEFORE["age"], later["age"], n_bins=4)
    assert row(found(later, n_bins=4), "age")["psi"] == pytest.approx(coarser)


def test_shares_of_segments_are_counted():
    report = found(AFTER.assign(monetary=AFTER["monetary"] * 1.5))
    then = pd.Series(TIERER.predict_segments(BEFORE)).value_counts()
    table = report.segments.set_index("segment")
    assert table["customers_before"].to_dict() == {"A": 0, "B": 0, "C": 0, "No value": 0} | dict(
        then
    )
    np.testing.assert_allclose(table["change"], table["share_after"] - table["share_before"])
    labels = [
        TIERER.predict_segments(one)
        for one in (BEFORE, AFTER.assign(monetary=AFTER["monetary"] * 1.5))
    ]
    assert row(report, "(segments)")["psi"] == pytest.approx(population_stability_index(*labels))


def test_nothing_drifts_keep():
    report = found()
    assert report.verdict == "keep"
    assert "the largest stability index is 0.0" in report.reason
    assert report.summary().startswith("keep: the thresholds still fit.")


def test_drift_of_what_segments_are_made_of_refit():
    report = found(AFTER.assign(monetary=AFTER["monetary"] * 2))
    assert report.verdict == "refit"
    assert "monetary, which segments are made of, has drifted: stability index" in report.reason


def test_drift_of_other_variables_re_profile():
    report = found(AFTER.assign(channel=AFTER["channel"].replace("web", "app")))
    assert report.verdict == "re-profile"
    assert report.reason.startswith("channel has drifted: stability index")
    assert "(large: from 0.25 on)" in report.reason


def test_drift_of_shares_re_profile():
    # Half of those in the best tier fall to the next one, near the edge: no decile moves far.
    segmenter = ValueTierer(method="fixed", cuts=[50], tiers=["A", "B"]).fit(BEFORE)
    before = BEFORE.assign(
        monetary=np.where(np.arange(900) < 300, 50.0, 20.0) + BEFORE["age"] / 1e6
    )
    after = before.assign(monetary=before["monetary"] - 0.5 * (np.arange(900) < 150))
    report = found(after, before, segmenter, n_bins=2)
    assert report.verdict == "re-profile"
    assert report.reason.startswith("the shares of the segments have drifted")


def test_customers_beyond_all_seen_before_refit():
    later = AFTER.copy()
    later.loc[later["monetary"].nlargest(100).index, "monetary"] = 1e6
    report = found(later)
    assert row(report, "monetary")["outside"] == pytest.approx(100 / 900)
    assert row(report, "monetary")["psi"] < 0.1
    assert report.verdict == "refit"
    assert "beyond all that was seen before for 11 % of the later customers" in report.reason


def test_levels_that_were_not_there_are_outside():
    later = AFTER.assign(channel=np.where(AFTER["channel"] == "app", "voice", AFTER["channel"]))
    expected = (AFTER["channel"] == "app").mean()
    assert row(found(later), "channel")["outside"] == pytest.approx(expected)


def test_customers_who_lose_their_segment_refit():
    later = AFTER.copy()
    later.loc[:119, "monetary"] = np.nan
    report = found(later)
    assert report.verdict == "refit"
    assert "13 % of the later customers have no segment, 0 % had none" in report.reason
    assert row(report, "monetary")["missing_after"] == pytest.approx(120 / 900)


def test_a_single_segment_left_refit():
    when = {"column": "monetary", "at_least": 50}
    rules = RuleSegmenter([{"name": "high", "when": when}], default="low").fit(BEFORE)
    report = found(AFTER.assign(monetary=AFTER["monetary"] / 100), segmenter=rules)
    assert report.verdict == "refit"
    assert "of 2 segments 1 has customers later" in report.reason


def test_missing_values_are_drift():
    later = AFTER.copy()
    later.loc[:299, "age"] = np.nan
    before = BEFORE["age"].to_numpy()
    deciles = np.searchsorted(np.quantile(before, np.arange(1, 10) / 10), before).astype(str)
    after = np.searchsorted(np.quantile(before, np.arange(1, 10) / 10), AFTER["age"]).astype(str)
    after[:300] = "missing"
    expected = population_stability_index(deciles, after)
    assert row(found(later), "age")["psi"] == pytest.approx(expected)
    assert found(later).verdict == "re-profile"


def test_what_must_drift_has_no_say():
    report = found()
    assert row(report, "tenure_days")["drift"] == "large"
    assert "drifted as expected: tenure_days." in report.summary()
    assert found(expected=[]).verdict == "re-profile"


def test_chance_of_few_customers_is_no_drift():
    rng = np.random.default_rng(3)
    few, others = (
        BEFORE.iloc[rng.choice(900, 30, replace=False)].assign(customer_id=range(start, start + 30))
        for start in (0, 30)
    )
    report = found(others, few)
    assert report.report["psi"].max() > 0.25
    assert report.verdict == "keep"
    assert "within chance of so few customers" in report.reason


def test_trifles_of_many_customers_are_no_drift():
    rng = np.random.default_rng(4)
    spend = rng.lognormal(3, 1, 60_000)
    many = pd.DataFrame({"customer_id": np.arange(60_000), "monetary": spend})
    report = found(many.assign(monetary=spend * 1.03), many)
    assert row(report, "monetary")["p_adjusted"] < 1e-6
    assert report.verdict == "keep"


def test_customers_who_change_places_are_no_drift():
    report = found(AFTER.assign(monetary=BEFORE["monetary"].to_numpy()[::-1]))
    assert row(report, "monetary")["psi"] == pytest.approx(0)
    assert row(report, "monetary")["p_value"] == pytest.approx(1)


def drawn_pair(rng, overlap):
    """Two tables without drift: the variables of those in both are correlated."""
    n, latent = 150, rng.normal(size=(150, 2))
    later = 0.8 * latent + 0.6 * rng.normal(size=(n, 2))
    n_new = n - int(overlap * n)
    later[:n_new] = rng.normal(size=(n_new, 2))
    ids = np.arange(n)
    return [
        pd.DataFrame({"customer_id": who, "monetary": np.exp(z[:, 0]), "age": z[:, 1]})
        for who, z in ((ids, latent), (np.where(ids < n_new, ids + n, ids), later))
    ]


@pytest.mark.parametrize("overlap", [0.0, 0.6, 1.0])
def test_tables_without_drift_are_kept(overlap):
    rng = np.random.default_rng(5)
    verdicts = []
    for _ in range(60):
        before, after = drawn_pair(rng, overlap)
        verdicts.append(found(after, before, ValueTierer().fit(before)).verdict)
    assert verdicts.count("keep") >= 57


@pytest.mark.parametrize("overlap", [0.0, 0.6, 1.0])
def test_planted_drift_is_found(overlap):
    rng = np.random.default_rng(6)
    verdicts = []
    for _ in range(40):
        before, after = drawn_pair(rng, overlap)
        tierer = ValueTierer().fit(before)
        dearer, older = (
            after.assign(monetary=after["monetary"] * 3),
            after.assign(age=after["age"] + 1),
        )
        verdicts.append([found(one, before, tierer).verdict for one in (dearer, older)])
    of_basis, of_profile = zip(*verdicts, strict=True)
    assert of_basis.count("refit") == 40
    # By chance the basis drifts, too, in one of twenty at most.
    assert of_profile.count("re-profile") >= 38
    assert "keep" not in of_profile


def test_every_kind_of_frame_is_compared(kind):
    later = AFTER.assign(monetary=AFTER["monetary"] * 1.3).iloc[300:]
    later.loc[later.index[:9], ["age", "channel"]] = None
    expected = found(later)
    report = found(as_kind(later, kind), as_kind(BEFORE, kind))
    pd.testing.assert_frame_equal(report.report, expected.report)
    pd.testing.assert_frame_equal(report.segments, expected.segments)
    assert report.reasons == expected.reasons
    assert report.n_in_both == 600


def test_rows_that_are_only_numbered_are_other_customers():
    before, after = (one.drop(columns="customer_id") for one in (BEFORE, AFTER))
    assert found(after, before, customer=None).n_in_both == 0
    assert (
        found(
            after.set_axis(after.index + 100), before.set_axis(before.index + 100), customer=None
        ).n_in_both
        == 900
    )
    polars = found(as_kind(after, "polars"), as_kind(before, "polars"), customer=None)
    assert polars.n_in_both == 0


def test_what_cannot_be_compared_is_noted():
    extra = {
        "since": pd.Timestamp("2024-01-01"),
        "mail": [f"ann{i}@example.org" for i in range(900)],
        "lost": None,
    }
    report = found(AFTER.assign(**extra, come=1.0), BEFORE.assign(**extra, gone=1.0))
    notes = report.report.set_index("variable")["note"]
    assert notes["since"].startswith("column 'since' holds dates")
    assert "900 different texts" in notes["mail"]
    assert notes["lost"] == "no value is known"
    for name in ("gone", "come"):
        assert notes[name] == f"column {name!r} is in one of the tables only."
    unknown = report.report.loc[report.report["drift"] == "not assessed", "variable"]
    assert unknown.tolist() == [*extra, "gone", "come"]
    assert "not assessed: since, mail, lost, gone and 1 more." in report.summary()
    assert "example" not in report.report.to_string() + report.summary()


def test_variables_asked_for_are_looked_at_beside_the_basis():
    report = found(variables=["age"]).report
    assert report["variable"].tolist() == ["(segments)", "monetary", "age"]
    assert report["role"].tolist() == ["segments", "basis", "profile"]
    dated = BEFORE.assign(since=pd.Timestamp("2024-01-01"))
    with pytest.raises(SegkitTypeError, match="'since' holds dates"):
        found(dated, dated, variables=["since"])
    with pytest.raises(ColumnError, match=r"table 'after': column 'age' is missing"):
        found(AFTER.drop(columns="age"), variables=["age"])


def test_clusterers_are_compared():
    columns = ["monetary", "age"]
    model = KMeans(3, n_init=1, random_state=0).fit(BEFORE[columns])
    report = found(segmenter=model)
    assert report.segments["segment"].tolist() == ["0", "1", "2"]
    assert report.report["role"].tolist() == ["segments", "basis", "basis", "profile", "expected"]


def test_nothing_is_changed_in_what_is_given():
    before, after = BEFORE.copy(), AFTER.copy()
    found(after, before)
    pd.testing.assert_frame_equal(before, BEFORE)
    pd.testing.assert_frame_equal(after, AFTER)


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(NotFittedError):
        found(segmenter=ValueTierer())
    with pytest.raises(SegkitTypeError, match="DriftReport: segmenter must be fitted"):
        found(segmenter=DBSCAN())
    with pytest.raises(SegkitValueError, match="n_bins must be an integer of at least 2"):
        found(n_bins=1)
    for wrong in ("age", 5, [5]):
        with pytest.raises(SegkitTypeError, match="variables must be a list of names of columns"):
            found(variables=wrong)
        with pytest.raises(SegkitTypeError, match="expected must be a list of names of columns"):
            found(expected=wrong)
    with pytest.raises(SegkitTypeError, match="expected a frame with named columns"):
        found(BEFORE.to_numpy())
    with pytest.raises(SegkitValueError, match="repeats an earlier row in 899 of 900"):
        found(AFTER.assign(customer_id=1))
