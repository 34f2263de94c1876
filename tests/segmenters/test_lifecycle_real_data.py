"""Lifecycle stages on public logs, cut in the middle: who comes back afterwards."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from segkit import LifecycleStager, summarize_transactions

pytestmark = pytest.mark.realdata

CUTS = [
    *(("cdnow", day) for day in ("1997-06-30", "1997-09-30", "1997-12-31", "1998-03-31")),
    *(("online_retail", day) for day in ("2011-04-30", "2011-06-30", "2011-08-31", "2011-10-31")),
]


def staged_at(log, day):
    """Customers with their stage as of a day, and whether they bought later."""
    options = {"order_id": "order_id", "missing": "drop", "as_of": day}
    table = summarize_transactions(log, extras="last_gap", **options)
    later = log[(log["timestamp"] >= pd.Timestamp(day) + pd.Timedelta(days=1)) & (log.amount >= 0)]
    table["bought"] = table["customer_id"].isin(later["customer_id"].dropna().unique())
    return LifecycleStager().fit(table).assign(table)


def log_likelihood(features, bought):
    """The log-likelihood of a logistic regression without penalty."""
    model = LogisticRegression(C=1e9, max_iter=5_000).fit(features, bought)
    return -log_loss(bought, model.predict_proba(features), normalize=False)


@pytest.mark.parametrize(("source", "day"), CUTS)
def test_fewer_buy_again_from_stage_to_stage(source, day, request):
    staged = staged_at(request.getfixturevalue(source), day)
    shares = staged.groupby("lifecycle_stage", observed=True)["bought"].mean()
    assert shares["active"] > shares["at_risk"] > shares["churned"]
    sizes = staged["lifecycle_stage"].value_counts(normalize=True)
    assert sizes[["active", "at_risk", "churned"]].min() > 0.05


@pytest.mark.parametrize(("source", "day"), CUTS)
def test_stages_tell_more_than_frequency_does(source, day, request):
    staged = staged_at(request.getfixturevalue(source), day)
    frequency = np.log(staged[["order_days"]])
    stages = pd.get_dummies(staged["lifecycle_stage"].cat.remove_unused_categories())
    both = pd.concat([frequency, stages.iloc[:, 1:]], axis=1)
    gain = log_likelihood(both, staged["bought"]) - log_likelihood(frequency, staged["bought"])
    assert chi2.sf(2 * gain, df=stages.shape[1] - 1) < 0.001


@pytest.mark.parametrize(
    ("source", "day", "at_least"),
    [("cdnow", "1997-09-30", -0.01), ("online_retail", "2011-06-30", 0)],
)
def test_stages_stand_beside_recency_cut_into_groups_of_their_sizes(source, day, at_least, request):
    staged = staged_at(request.getfixturevalue(source), day)
    rank = {"churned": 0, "at_risk": 1}
    stages = np.array([rank.get(stage, 2) for stage in staged["lifecycle_stage"]])
    longest_first = np.argsort(-staged["recency_days"].to_numpy(), kind="stable")
    recency = np.empty(len(staged))
    recency[longest_first] = np.sort(stages)
    gain = roc_auc_score(staged["bought"], stages) - roc_auc_score(staged["bought"], recency)
    assert gain >= at_least
