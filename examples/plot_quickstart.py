r"""
From a transaction log to named segments
========================================

Reads a transaction log, makes one row per customer, learns RFM scores, names the segments, prints
them, and draws the recency by frequency grid.

Without arguments the log is drawn at random. For one of your own, pass a CSV file and the names
of its columns::

    python examples/plot_quickstart.py sales.csv --customer-id member --timestamp paid_at \
        --amount total --order-id receipt

"""

import argparse

import pandas as pd

from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions
from segkit.plotting import RFMDisplay

parser = argparse.ArgumentParser(description="Name the customer segments of a transaction log.")
parser.add_argument("csv", nargs="?", help="the log; by default one is drawn at random")
parser.add_argument("--customer-id", default="customer_id", help="column of customers")
parser.add_argument("--timestamp", default="timestamp", help="column of dates")
parser.add_argument("--amount", default="amount", help="column of money; negative is a return")
parser.add_argument("--order-id", help="column of orders; by default a day is an order")
parser.add_argument("--date-format", help="such as %%d/%%m/%%Y; by default dates are ISO")
parser.add_argument("--as-of", help="day to describe; by default the day after the last row")
parser.add_argument(
    "--missing",
    choices=["raise", "drop"],
    default="raise",
    help="rows without customer, date or amount: an error, or left out",
)
parser.add_argument("--output", default="rfm_segments.png", help="the picture to write")
options = parser.parse_args()

# %%
# The log
# -------
# A row per transaction or line item: who, when, how much. A negative amount is a return. Ids of
# customers and orders are read as text, because a column of numbers with a gap would become
# decimals.

if options.csv is None:
    transactions = make_transactions(2_000, random_state=0)
    options.order_id = "order_id"
else:
    ids = [name for name in (options.customer_id, options.order_id) if name]
    transactions = pd.read_csv(options.csv, dtype=dict.fromkeys(ids, "str"))
    if options.date_format:
        dates = pd.to_datetime(transactions[options.timestamp], format=options.date_format)
        transactions[options.timestamp] = dates

print(transactions.head())

# %%
# One row per customer
# --------------------

customers = summarize_transactions(
    transactions,
    customer_id=options.customer_id,
    timestamp=options.timestamp,
    amount=options.amount,
    order_id=options.order_id,
    as_of=options.as_of,
    missing=options.missing,
)

# %%
# Scores and segments
# -------------------
# ``fit`` learns the thresholds, ``assign`` applies them. The fitted scorer is what you keep: it
# scores tomorrow's customers by today's thresholds, alone as well as in a batch.

scorer = RFMScorer().fit(customers)
segmented = scorer.assign(customers)
print(scorer.describe()[["segment", "thresholds"]].to_string(index=False))

# %%
# Who they are
# ------------

table = segmented.groupby("rfm_segment", observed=True).agg(
    customers=("monetary", "size"),
    value=("monetary", "sum"),
    median_recency_days=("recency_days", "median"),
    mean_frequency=("frequency", "mean"),
    mean_monetary=("monetary", "mean"),
)
table.insert(1, "customer_share", table["customers"] / table["customers"].sum())
table.insert(3, "value_share", table["value"] / table["value"].sum())
formats = ["{:,.0f}", "{:.1%}", "{:,.0f}", "{:.1%}", "{:.0f}", "{:.1f}", "{:,.2f}"]
print(table.to_string(formatters=[form.format for form in formats]))

# %%
# A new customer
# --------------

new_customer = {"recency_days": 3, "frequency": 7, "monetary": 400.0}
print(f"{new_customer} is in: {scorer.predict_one(new_customer)}")

# %%
# The picture
# -----------

display = RFMDisplay.from_estimator(scorer, customers)
display.figure_.savefig(options.output, dpi=120)
print(f"The picture is in {options.output}")
