"""The customer table by a loop over plain Python rows, as the documentation says it."""

import itertools
import math


def summary_by_loop(log, *, as_of, order_id=None, order_per="day", returns="net"):
    """One row per customer, counted row by row as the documentation says."""
    customers = {}
    rows = [row for row in log.to_dict("records") if row["timestamp"].date() <= as_of]
    for row in rows:
        customers.setdefault(row["customer_id"], []).append(row)
    table = []
    for customer, own in sorted(customers.items()):
        orders = [row for row in own if row["amount"] >= 0]
        if not orders:
            continue
        refunds = [row for row in own if row["amount"] < 0]
        counted = own if returns == "net" else orders
        days = sorted({row["timestamp"].date() for row in orders})
        if order_id is not None:
            frequency = len({row[order_id] for row in orders})
        else:
            frequency = len(days) if order_per == "day" else len(orders)
        monetary = round(math.fsum(row["amount"] for row in counted), 6)
        gaps = [(later - earlier).days for earlier, later in itertools.pairwise(days)]
        on_first_day = [row["amount"] for row in counted if row["timestamp"].date() == days[0]]
        table.append(
            {
                "customer_id": customer,
                "recency_days": (as_of - days[-1]).days,
                "frequency": frequency,
                "order_days": len(days),
                "monetary": monetary,
                "tenure_days": (as_of - days[0]).days,
                "mean_order_value": monetary / frequency,
                "mean_gap_days": sum(gaps) / len(gaps) if gaps else None,
                "first_order": min(row["timestamp"] for row in orders),
                "last_order": max(row["timestamp"] for row in orders),
                "return_count": len(refunds),
                "return_amount": round(-math.fsum(row["amount"] for row in refunds), 6),
                "first_day_amount": round(math.fsum(on_first_day), 6),
                "last_gap_days": gaps[-1] if gaps else None,
            }
        )
    return table
