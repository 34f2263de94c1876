"""The public data sets: numbers counted independently of segkit, from the files themselves."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from frames import as_kind, in_session_zone, rows_of
from segkit import RFMScorer, ValueTierer, summarize_transactions
from segkit.exceptions import TiedScoresWarning
from segkit.features import calibration_holdout_split

pytestmark = pytest.mark.realdata

ONLINE = {"order_id": "order_id", "as_of": "2011-12-10", "missing": "drop"}


@pytest.mark.parametrize(
    ("returns", "monetary"), [("exclude", 8_911_407.904), ("net", 8_310_477.054)]
)
def test_online_retail_table(online_retail, kind, returns, monetary):
    table = pd.DataFrame(
        rows_of(
            summarize_transactions(as_kind(online_retail, kind), returns=returns, **ONLINE),
            "customer_id",
        )
    )
    assert len(table) == 4_339
    assert table["frequency"].sum() == 18_536
    assert table["monetary"].sum() == pytest.approx(monetary, abs=1e-6)


def test_online_retail_scores(online_retail):
    table = summarize_transactions(online_retail, **ONLINE)
    scorer = RFMScorer().fit(table)
    assert scorer.bin_edges_["frequency"].tolist() == [1, 2, 3, 6]
    counts = np.bincount(scorer.transform(table)[:, 1], minlength=6)[1:]
    assert counts.tolist() == [1494, 835, 508, 802, 700]


def test_online_retail_returns(online_retail):
    table = summarize_transactions(online_retail, extras="returns", **ONLINE)
    by_id = table.set_index("customer_id")
    assert by_id.loc[16446, "monetary"] == 2.90
    assert by_id.loc[16446, "return_amount"] == 168_469.60
    assert by_id.loc[12346, "monetary"] == 0.0
    assert (table["monetary"] <= 0).sum() == 22
    buyers_and_returners = online_retail["customer_id"].nunique()
    assert buyers_and_returners - len(table) == 33


def test_cdnow_table_and_scores(cdnow, kind):
    native = summarize_transactions(as_kind(cdnow, kind), as_of="1998-07-01")
    table = pd.DataFrame(rows_of(native, "customer_id"))
    assert len(table) == 23_570
    assert table["frequency"].sum() == 67_591
    assert table["monetary"].sum() == pytest.approx(2_500_315.63, abs=1e-6)
    with pytest.warns(TiedScoresWarning, match="'frequency' with 4 distinct scores of 5"):
        scorer = RFMScorer().fit(table)
    counts = np.bincount(scorer.transform(table)[:, 1], minlength=6)[1:]
    assert counts.tolist() == [12_054, 0, 4_040, 3_641, 3_835]


def test_cdnow_has_customers_who_never_paid(cdnow):
    table = summarize_transactions(cdnow, as_of="1998-07-01")
    assert (cdnow["amount"] == 0).sum() == 80
    assert (table["monetary"] == 0).sum() == 68


@pytest.mark.parametrize("source", ["online_retail", "cdnow"])
@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_shuffled_rows_and_relabelled_ids_change_no_score(source, request):
    log = request.getfixturevalue(source).dropna(subset="customer_id")
    shuffled = log.sample(frac=1, random_state=0)
    relabelled = shuffled.assign(customer_id=10**9 - shuffled["customer_id"])
    options = {"as_of": log["timestamp"].max() + pd.Timedelta(days=1)}
    scored = [
        RFMScorer().fit_transform(table)
        for table in (
            summarize_transactions(log, **options),
            summarize_transactions(shuffled, **options),
            summarize_transactions(relabelled, **options).iloc[::-1],
        )
    ]
    np.testing.assert_array_equal(scored[0], scored[1])
    np.testing.assert_array_equal(scored[0], scored[2])


@pytest.mark.parametrize("source", ["online_retail", "cdnow"])
@pytest.mark.filterwarnings("ignore::segkit.exceptions.TiedScoresWarning")
def test_each_customer_alone_scores_as_in_the_batch(source, request):
    log = request.getfixturevalue(source).dropna(subset="customer_id")
    table = summarize_transactions(log)
    scorer = RFMScorer().fit(table)
    names = scorer.predict_segments(table).tolist()
    assert [scorer.predict_one(row) for row in table.to_dict("records")] == names
    some = table.sample(300, random_state=0)
    alone = [scorer.predict(some.iloc[[i]])[0] for i in range(len(some))]
    assert alone == scorer.predict(some).tolist()


def test_calendar_days_are_not_spans_of_24_hours(online_retail):
    table = summarize_transactions(online_retail, **ONLINE)
    as_of = online_retail["timestamp"].max() + pd.Timedelta(days=1)
    spans = (as_of - table["last_order"]).dt.days
    assert (spans != table["recency_days"]).sum() == 2_270


def test_complete_journey_days_are_those_of_the_stores(data_folder, kind):
    log = pd.read_csv(
        data_folder / "completejourney_transactions_sample.csv.gz",
        parse_dates=["transaction_timestamp"],
    )
    utc = log["transaction_timestamp"]
    utc = utc.dt.tz_localize("UTC") if utc.dt.tz is None else utc.dt.tz_convert("UTC")
    local = utc.dt.tz_convert("America/New_York")
    moved = (utc.dt.tz_localize(None).dt.date != local.dt.tz_localize(None).dt.date).sum()
    assert moved == 12_699
    in_session_zone("America/New_York")
    rows = pd.DataFrame(
        {"customer_id": log["household_id"], "timestamp": local, "amount": log["sales_value"]}
    )
    table = rows_of(summarize_transactions(as_kind(rows, kind), as_of="2018-01-01"), "customer_id")
    days = rows.assign(day=local.dt.date).groupby("customer_id")["day"].nunique()
    assert [row["order_days"] for row in table] == days.tolist()


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
def test_countries_of_online_retail_are_scored_within_themselves(online_retail, data_folder):
    table = summarize_transactions(online_retail, **ONLINE)
    rows = pd.read_csv(data_folder / "online_retail.csv.gz", usecols=["CustomerID", "Country"])
    country = rows.dropna().groupby("CustomerID")["Country"].last()
    table["country"] = table["customer_id"].astype(float).map(country)
    scorer = RFMScorer(groups="country").fit(table)
    sizes = table["country"].value_counts()
    assert set(scorer.group_bin_edges_) == set(sizes[sizes >= 5].index)
    scored = scorer.transform(table)
    for name in ("Germany", "United Kingdom"):
        own = table["country"] == name
        alone = RFMScorer().fit(table[own])
        assert scored[own].tolist() == alone.transform(table[own]).tolist()
    few = table["country"].map(sizes) < 5
    assert scored[few].tolist() == RFMScorer().fit(table).transform(table[few]).tolist()


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.parametrize("column", ["monetary", "frequency", "recency_days"])
def test_kmeans_of_cdnow_is_as_good_as_the_best_of_many_starts(cdnow, column):
    table = summarize_transactions(cdnow, as_of="1998-07-01")
    values = table[column].to_numpy(dtype=float)
    edges = RFMScorer(binning="kmeans").fit(table).bin_edges_[column]
    cluster = np.searchsorted(edges, values)
    inertia = sum(((own - own.mean()) ** 2).sum() for _, own in pd.Series(values).groupby(cluster))
    best = KMeans(5, n_init=20, random_state=0).fit(values[:, None]).inertia_
    assert inertia <= best * (1 + 1e-9)


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
def test_nested_cells_of_cdnow_are_more_even(cdnow):
    table = summarize_transactions(cdnow, as_of="1998-07-01")
    largest = {
        binning: RFMScorer(binning=binning)
        .fit(table)
        .assign(table)["rfm_cell"]
        .value_counts()
        .max()
        for binning in ("quantile", "nested")
    }
    assert largest["nested"] < largest["quantile"]


def test_cdnow_in_the_halves_of_the_literature(cdnow, kind):
    moments = {"calibration_end": "1997-09-30", "holdout_end": "1998-06-30"}
    native = calibration_holdout_split(as_kind(cdnow, kind), extras="clv", **moments)
    table = pd.DataFrame(rows_of(native, "customer_id")).set_index("customer_id")
    assert len(table) == 23_570
    assert set(table["holdout_days"]) == {39 * 7}
    later = cdnow[cdnow["timestamp"] >= "1997-10-01"].groupby("customer_id")
    days = later["timestamp"].nunique().reindex(table.index, fill_value=0)
    money = later["amount"].sum().reindex(table.index, fill_value=0.0)
    assert table["holdout_order_days"].tolist() == days.tolist()
    assert table["holdout_orders"].tolist() == days.tolist()
    assert table["holdout_monetary"].tolist() == pytest.approx(money.tolist(), abs=1e-6)
    assert (days.sum(), (days > 0).sum()) == (19_684, 7_058)


def test_online_retail_after_a_cut_at_midyear(online_retail, kind):
    options = {"order_id": "order_id", "missing": "drop"}
    native = calibration_holdout_split(
        as_kind(online_retail, kind),
        calibration_end="2011-06-30",
        holdout_end="2011-12-09",
        **options,
    )
    table = pd.DataFrame(rows_of(native, "customer_id")).set_index("customer_id")
    rows = online_retail.dropna(subset="customer_id")
    is_later = rows["timestamp"] >= "2011-07-01"
    is_order = rows["amount"] >= 0
    known = np.sort(rows.loc[is_order & ~is_later, "customer_id"].unique())
    assert table.index.tolist() == known.tolist()
    assert len(known) == 2_960
    orders = rows[is_order & is_later].groupby("customer_id")["order_id"].nunique()
    assert table["holdout_orders"].tolist() == orders.reindex(known, fill_value=0).tolist()
    money = rows[is_later].groupby("customer_id")["amount"].sum().reindex(known, fill_value=0.0)
    assert table["holdout_monetary"].tolist() == pytest.approx(money.tolist(), abs=1e-6)
    only_returned = table[(table["holdout_orders"] == 0) & (table["holdout_monetary"] < 0)]
    assert len(only_returned) == 21
    assert set(table["holdout_days"]) == {162}


@pytest.fixture(scope="module")
def customer_tables(online_retail, cdnow):
    return {
        "online_retail": summarize_transactions(online_retail, **ONLINE),
        "cdnow": summarize_transactions(cdnow, as_of="1998-07-01"),
    }


@pytest.mark.parametrize(
    ("source", "tiers"),
    [
        ("online_retail", {"A": 1_178, "B": 1_456, "C": 1_683, "No value": 22}),
        ("cdnow", {"A": 7_695, "B": 8_067, "C": 7_740, "No value": 68}),
    ],
)
def test_abc_tiers_are_those_of_a_walk_down_the_customers(customer_tables, kind, source, tiers):
    table = customer_tables[source]
    cents = (table["monetary"] * 1_000).round().astype(int)  # Online Retail has tenths of a penny
    total, made, thresholds = int(cents[cents > 0].sum()), 0, []
    for amount in sorted(cents, reverse=True):
        if made * 100 < 80 * total:
            thresholds[:] = [amount, amount]
        elif made * 100 < 95 * total:
            thresholds[1] = amount
        made += amount
    expected = [
        "No value" if c <= 0 else "A" if c >= thresholds[0] else "B" if c >= thresholds[1] else "C"
        for c in cents
    ]
    assert pd.Series(expected).value_counts().to_dict() == tiers
    tierer = ValueTierer().fit(table)
    assert tierer.predict_segments(table).tolist() == expected
    np.testing.assert_allclose(tierer.thresholds_ * 1_000, thresholds)
    rows = rows_of(tierer.assign(as_kind(table, kind)), "customer_id")
    assert [row["value_tier"] for row in rows] == expected


@pytest.mark.parametrize(
    ("source", "heavy", "share"), [("online_retail", 864, 0.735), ("cdnow", 4_701, 0.677)]
)
def test_the_top_fifth_of_buyers(customer_tables, source, heavy, share):
    spend = customer_tables[source]["monetary"]
    buyers = spend[spend > 0].sort_values(ascending=False)
    described = ValueTierer(method="quantile").fit(customer_tables[source]).describe()
    threshold = buyers.iloc[int(np.ceil(0.2 * len(buyers))) - 1]
    assert described["threshold"][0] == threshold
    assert described["customers"][0] == (spend >= threshold).sum() == heavy
    made = buyers[buyers >= threshold].sum() / buyers.sum()
    assert described["share_of_value"][0] == pytest.approx(made)
    assert made == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize(("source", "gini"), [("online_retail", 0.704), ("cdnow", 0.635)])
def test_gini_is_half_the_mean_difference_of_all_pairs(customer_tables, source, gini):
    spend = customer_tables[source]["monetary"].clip(lower=0).to_numpy()
    differences = sum(np.abs(spend - one).sum() for one in spend) / len(spend) ** 2
    expected = differences / (2 * spend.mean())
    assert ValueTierer().fit(customer_tables[source]).gini_ == pytest.approx(expected, abs=1e-12)
    assert expected == pytest.approx(gini, abs=5e-4)


@pytest.mark.parametrize("source", ["online_retail", "cdnow"])
@pytest.mark.parametrize("unit", [100, 0.01, 1.17, 1e-6])
def test_another_currency_moves_no_customer_to_another_tier(customer_tables, source, unit):
    table = customer_tables[source]
    before = ValueTierer().fit(table)
    after = ValueTierer().fit(table.assign(monetary=table["monetary"] * unit))
    assert before.labels_.tolist() == after.labels_.tolist()
