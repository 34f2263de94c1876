"""Profiles of public data, against pandas and scipy on the raw files."""

import pandas as pd
import pytest
from scipy import stats

from segkit import SegmentProfiler

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def hillstrom(data_folder):
    return pd.read_csv(data_folder / "hillstrom.csv")


def test_hillstrom_is_described_by_its_own_segments(hillstrom):
    profiler = SegmentProfiler(value="history", basis=["history"]).fit(
        hillstrom, y="history_segment"
    )
    groups = hillstrom.groupby("history_segment")
    sizes = profiler.sizes_.set_index("segment")
    assert sizes["customers"].to_dict() == groups.size().to_dict()
    total = groups["history"].sum() / hillstrom["history"].sum()
    assert sizes["share_of_value"].to_dict() == pytest.approx(total.to_dict())
    found = profiler.differences_.set_index("variable")
    parts = [part.to_numpy() for _, part in groups["recency"]]
    assert found.loc["recency", "statistic"] == pytest.approx(
        stats.kruskal(*parts).statistic, rel=1e-9
    )
    table = pd.crosstab(hillstrom["zip_code"], hillstrom["history_segment"])
    expected = stats.chi2_contingency(table, correction=False)
    assert found.loc["zip_code", "p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.loc["history", "is_descriptive"]
    assert found.loc["zip_code", "effect_size"] < 0.01 < 0.3 < found.loc["channel", "effect_size"]


def test_no_small_segment_of_hillstrom_is_multichannel(hillstrom):
    profiler = SegmentProfiler().fit(hillstrom, y="history_segment")
    shares = profiler.to_frame("share").query("level == 'Multichannel'").iloc[0]
    expected = (hillstrom["channel"] == "Multichannel").groupby(hillstrom["history_segment"]).mean()
    assert expected.iloc[:2].tolist() == [0, 0]
    assert shares[expected.index].to_dict() == pytest.approx(expected.to_dict())


def test_response_is_described_as_an_outcome_of_spend(data_folder):
    raw = pd.read_csv(data_folder / "marketing_campaign_kaggle.csv", sep=";", encoding="utf-8-sig")
    raw["spend"] = raw.filter(regex="^Mnt").sum(axis=1)
    third = pd.qcut(raw["spend"], 3, labels=["low", "middle", "high"])
    profiler = SegmentProfiler(n_traits=99, phrases={"Response": "{} responded"})
    profiler.fit(raw, y=third)
    rate = raw["Response"].groupby(third, observed=True).mean()
    said = {trait.variable: trait.text for trait in profiler.personas_["high"].traits}
    assert said["Response"] == (
        f"{100 * rate['high']:.0f} % responded (base {100 * raw['Response'].mean():.0f} %)"
    )
    left_out = profiler.left_out_
    assert set(left_out) == {"ID", "Dt_Customer", "Z_CostContact", "Z_Revenue"}
    # The income of 666,666 moves the mean of a segment, and not its median.
    incomes = raw["Income"].groupby(third, observed=True).median()
    medians = profiler.to_frame("median").set_index("variable").loc["Income", list(incomes.index)]
    assert medians.to_dict() == incomes.to_dict()
