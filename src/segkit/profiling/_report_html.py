"""The HTML of a report: one page with its own style; by great-tables where that is there."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from segkit.profiling._reports import ReportText

_STYLE = """
.segkit-report {font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  color: #1c1c22; max-width: 1120px; margin: 2rem auto; padding: 0 1.25rem;}
.segkit-report h1 {font-size: 1.7rem; margin: 0 0 .3rem;}
.segkit-report h2 {font-size: 1.15rem; margin: 2.2rem 0 .7rem;}
.segkit-report h3 {font-size: 1rem; margin: 0;}
.segkit-report .lead, .segkit-report .notes, .segkit-report .size {color: #55555f;}
.segkit-report .cards {display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(310px, 1fr));}
.segkit-report .card {border: 1px solid #e4e4e8; border-top: 3px solid #1b7f5c;
  border-radius: 6px; padding: .85rem 1rem;}
.segkit-report .card p {margin: .15rem 0 .5rem;}
.segkit-report .card ul {margin: 0; padding-left: 1.1rem;}
.segkit-report .card h4 {font-size: .88rem; margin: .7rem 0 .1rem;}
.segkit-report .card h4 + ul, .segkit-report .card .group {font-size: .88rem; color: #3c3c46;}
.segkit-report .scroll {overflow-x: auto;}
.segkit-report table.dataframe {border-collapse: collapse; border: 0; font-size: .9rem;
  font-variant-numeric: tabular-nums;}
.segkit-report table.dataframe th, .segkit-report table.dataframe td {border: 0;
  border-bottom: 1px solid #ececf0; padding: .32rem .7rem; text-align: right;
  white-space: nowrap;}
.segkit-report table.dataframe thead th {border-bottom: 1.5px solid #1c1c22; font-weight: 600;
  vertical-align: bottom; white-space: normal; min-width: 5.5rem;}
.segkit-report table.dataframe th:first-child, .segkit-report table.dataframe td:first-child
  {text-align: left;}
.segkit-report table.dataframe tbody tr:hover {background: #f7f7f9;}
.segkit-report .index {display: block; margin: -.32rem -.7rem; padding: .32rem .7rem;}
.segkit-report .notes {font-size: .86rem; padding-left: 1.1rem;}
"""
# From far below the average to far above it: orange, white, green.
_BOUNDS = (50, 67, 83, 120, 150, 200)
_FILLS = ("#f6c9a4", "#fadfc8", "#fdf0e4", "", "#e6f4ee", "#c3e5d7", "#93d0b9")


def page(report: ReportText, *, title: str, cards: Sequence[str]) -> str:
    """Return the page, given the parts of the report and a card for each segment."""
    inner = "".join(f"<section class='card'>{card}</section>" for card in cards)
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in report.notes())
    legend = "Cells are green where the index is above 120, orange where it is below 83."
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main class='segkit-report'><h1>{html.escape(title)}</h1>"
        f"<p class='lead'>{html.escape(report.introduction())}</p>"
        f"<div class='scroll'>{_plain_table(report.sizes())}</div>"
        f"<h2>Who they are</h2><div class='cards'>{inner}</div>"
        f"<h2>What sets them apart</h2><div class='scroll'>{_plain_table(report.drivers())}</div>"
        f"<h2>Profile</h2><div class='scroll'>{_profile_table(report)}</div>"
        f"<ul class='notes'><li>{legend}</li>{notes}</ul></main></body></html>"
    )


def _plain_table(table: pd.DataFrame) -> str:
    text: str = table.to_html(index=False, border=0)
    return text


def _profile_table(report: ReportText) -> str:
    try:
        import great_tables
    except ImportError:
        return _profile_by_pandas(report)
    return _profile_by_great_tables(report, great_tables)


def _profile_by_pandas(report: ReportText) -> str:
    cells, indices = report.cells()
    names = list(indices.columns)
    rows, before = [], None
    groups = cells["group"] if report.groups else [None] * len(cells)
    columns = [cells[name].tolist() for name in names]
    shades = indices.to_numpy(dtype=float)
    for place, (label, group) in enumerate(zip(cells["label"], groups, strict=True)):
        if group is not None and group != before:
            rows.append([f"<b>{html.escape(group)}</b>", *[""] * len(names)])
        before = group
        filled = [_filled(column[place], shades[place, at]) for at, column in enumerate(columns)]
        rows.append([html.escape(label), *filled])
    heads = ["", *(html.escape(str(name)) for name in names)]
    table = pd.DataFrame(rows, columns=heads)
    with pd.option_context("display.max_colwidth", None):
        found: str = table.to_html(index=False, border=0, escape=False)
    return found


def _profile_by_great_tables(report: ReportText, gt: Any) -> str:
    cells, indices = report.cells()
    # Columns of fixed names, because a segment may be called as a column of ours.
    names = {f"segment_{place}": name for place, name in enumerate(indices.columns)}
    heads = ["label", *(["group"] if "group" in cells.columns[:2] else []), *names]
    table = cells.set_axis(heads, axis=1)
    groups = "group" if "group" in heads else None
    # With a name of its own the page is the same each time.
    made = gt.GT(table, rowname_col="label", groupname_col=groups, id="segkit-profile")
    made = made.cols_label(**{key: gt.html(html.escape(name)) for key, name in names.items()})
    made = made.cols_align("right", columns=list(names))
    made = made.tab_options(table_font_size="14px", data_row_padding="4px", table_margin_left="0")
    fills = np.digitize(indices.to_numpy(dtype=float), _BOUNDS)
    known = indices.notna().to_numpy()
    for column, key in enumerate(names):
        for place, fill in enumerate(_FILLS):
            rows = np.flatnonzero((fills[:, column] == place) & known[:, column]).tolist()
            if fill and rows:
                where = gt.loc.body(columns=[key], rows=rows)
                made = made.tab_style(gt.style.fill(color=fill), where)
    found: str = made.as_raw_html()
    return found


def _filled(text: str, index: float) -> str:
    escaped = html.escape(text)
    fill = "" if np.isnan(index) else _FILLS[int(np.digitize(index, _BOUNDS))]
    return f"<span class='index' style='background:{fill}'>{escaped}</span>" if fill else escaped
