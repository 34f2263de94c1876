"""Reports of a profile: a wide table, Markdown, and HTML with great-tables or pandas."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segkit.profiling._personas import Persona
from segkit.profiling._profile_table import SIZE, described_segments
from segkit.profiling._segment_labels import EVERYONE
from segkit.profiling._suppression import tells_few_missing
from segkit.profiling._words import date_text, number_text, p_text, share_text

if TYPE_CHECKING:
    from segkit.profiling._segment_profiler import SegmentProfiler

#: What stands in place of a number that is withheld.
WITHHELD = "·"
_EVERYONE_HEAD = "everyone"

# What Markdown takes for markup: signs, entities, tags, and what starts a heading, quote or list.
_MARKUP = re.compile(
    r"([\\|*`\[~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|<(?=[a-zA-Z/!?])|^[#>]|^[-+](?=\s))"
)
_TELL_SIZES = ("customers", "missing_share")


def wide_table(
    profile: pd.DataFrame, statistic: str, *, min_cell: int, suppress: bool
) -> pd.DataFrame:
    """Return one statistic: a row a variable or level, a column a segment."""
    said = profile.loc[profile[statistic].notna()]
    if suppress:
        withheld = said["is_small"]
        if statistic in _TELL_SIZES:
            # Another number of a segment would tell the size that is withheld.
            small = profile.loc[(profile["variable"] == SIZE) & profile["is_small"], "segment"]
            withheld = withheld | said["segment"].isin(small)
            withheld |= tells_few_missing(profile, min_cell).loc[said.index]
        said = said.assign(**{statistic: said[statistic].mask(withheld)})
    names = [*described_segments(profile), EVERYONE]
    keys = ["variable", "level"]
    rows = profile.loc[profile["segment"] == EVERYONE, keys].reset_index(drop=True)
    wide = {
        name: said.loc[said["segment"] == name].set_index(keys)[statistic].rename(name)
        for name in names
    }
    index = pd.MultiIndex.from_frame(rows)
    table = pd.DataFrame({name: column.reindex(index) for name, column in wide.items()})
    told = pd.MultiIndex.from_frame(said[keys].drop_duplicates())
    return table.loc[[key in told for key in index]].reset_index()


class ReportText:
    """The parts of a report as text: what may be shared, and nothing else."""

    def __init__(self, profiler: SegmentProfiler) -> None:
        self.profile: pd.DataFrame = profiler.profile_
        self.personas: Mapping[str, Persona] = profiler.personas_
        self.differences: pd.DataFrame = profiler.differences_
        self.left_out: Mapping[str, str] = profiler.left_out_
        self.min_cell: int = profiler.min_cell
        self.n_unassigned: int = profiler.n_unassigned_
        self.has_value = profiler.value is not None
        self.value = profiler.value
        self.groups = list(profiler.groups or {})
        self.segments = described_segments(self.profile)
        # A segment may have that name itself.
        self.everyone = EVERYONE if _EVERYONE_HEAD in self.segments else _EVERYONE_HEAD
        self._by_mean = _told_by_mean(self.profile)

    def introduction(self) -> str:
        """Return how many customers there are, in how many segments."""
        everyone = self.profile.loc[
            (self.profile["variable"] == SIZE) & (self.profile["segment"] == EVERYONE)
        ].iloc[0]
        n_segments = len(self.segments)
        text = (
            f"{everyone['customers']:,} customers in {n_segments} "
            f"segment{'s' if n_segments != 1 else ''}"
        )
        if self.n_unassigned:
            few = self.n_unassigned < self.min_cell
            number = f"fewer than {self.min_cell}" if few else f"{self.n_unassigned:,}"
            text += f"; {number} without a segment, not counted"
        return text + "."

    def notes(self) -> list[str]:
        """Return what a reader must know."""
        notes = [
            "Numbers: as said, and in brackets the index of the mean (100 = everyone's).",
            "Categories: the share among customers with a value, and in brackets its index.",
        ]
        if self.profile["is_small"].any():
            notes.append(
                f"{WITHHELD} withheld: fewer than {self.min_cell} customers, or a number that "
                "would give such a one away."
            )
        if self.differences["is_descriptive"].any():
            notes.append(
                "Variables that the segments were made of differ by construction: their tests are "
                "descriptive."
            )
        notes += [f"Not described: {name} ({why})." for name, why in self.left_out.items()]
        return notes

    def sizes(self) -> pd.DataFrame:
        """Return the segments: customers, share, share of value."""
        rows = self.profile.loc[self.profile["variable"] == SIZE]
        columns = {
            "segment": [self._name(one) for one in rows["segment"]],
            "customers": [f"{one:,}" for one in rows["customers"]],
            "share": rows["share"].map(share_text),
        }
        if self.has_value:
            columns[f"share of {self.value}"] = rows["share_of_value"].map(share_text)
        table = pd.DataFrame(columns).reset_index(drop=True)
        hidden = rows["is_small"].to_numpy()
        table.loc[hidden, table.columns[1:]] = WITHHELD
        return table

    def drivers(self) -> pd.DataFrame:
        """Return the variables, that in which segments differ most first."""
        found = self.differences
        symbols = {"epsilon": "ε", "omega": "ω", "cramers_v": "V"}
        described = found["is_descriptive"]
        return pd.DataFrame(
            {
                "variable": found["variable"],
                "effect": [
                    "–" if np.isnan(size) else f"{symbols[effect]} = {size:.2f}"
                    for size, effect in zip(found["effect_size"], found["effect"], strict=True)
                ],
                "test": found["test"].fillna("–").astype(str),
                "adjusted p": [
                    "descriptive" if is_basis else p_text(p)
                    for p, is_basis in zip(found["p_adjusted"], described, strict=True)
                ],
            }
        )

    def cells(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the profile, a row a variable or level, as text, and the index of each cell.

        Rows have a ``label`` and, where variables are grouped, a ``group``, one after the other.
        """
        shown = self.profile.loc[self.profile["variable"] != SIZE]
        groups = [*self.groups, None]
        order = shown["group"].map(lambda one: groups.index(None if pd.isna(one) else one))
        shown = shown.loc[order.sort_values(kind="stable").index]
        texts, indices = {}, {}
        everyone = shown.loc[shown["segment"] == EVERYONE].reset_index(drop=True)
        for name in (*self.segments, EVERYONE):
            rows = shown.loc[shown["segment"] == name].reset_index(drop=True)
            texts[self._name(name)] = [self._cell(row) for row in rows.to_dict("records")]
            index = rows["index"].mask(rows["is_small"]).to_numpy()
            indices[self._name(name)] = np.full(len(rows), np.nan) if name == EVERYONE else index
        head = pd.DataFrame({"label": [self._label(row) for row in everyone.to_dict("records")]})
        if self.groups:
            head = head.assign(
                group=["other" if pd.isna(one) else str(one) for one in everyone["group"]]
            )
        return pd.concat([head, pd.DataFrame(texts)], axis=1), pd.DataFrame(indices)

    def _label(self, row: Mapping[Any, Any]) -> str:
        name = str(row["variable"])
        if row["kind"] == "number":
            return f"{name} ({'mean' if name in self._by_mean else 'median'})"
        if row["kind"] == "date":
            return f"{name} (middle half)"
        return f"{name}: {row['level']}"

    def _name(self, segment: str) -> str:
        return self.everyone if segment == EVERYONE else segment

    def _cell(self, row: Mapping[Any, Any]) -> str:
        if row["is_small"]:
            return WITHHELD
        if row["kind"] == "date":
            if pd.isna(row["date_median"]):
                return "–"
            return f"{date_text(row['date_q25'])} to {date_text(row['date_q75'])}"
        if row["kind"] == "number":
            by_mean = row["variable"] in self._by_mean
            said = number_text(row["mean"] if by_mean else row["median"], spread=row["std"])
        else:
            said = share_text(row["share"])
        index = row["index"]
        is_base = row["segment"] == EVERYONE or np.isnan(index)
        return said if is_base else f"{said} ({index:.0f})"


def markdown_report(profiler: SegmentProfiler, *, title: str, representatives: bool) -> str:
    """Return the report in Markdown."""
    report = ReportText(profiler)
    parts = [f"# {_escaped(title)}", report.introduction(), _markdown(report.sizes())]
    parts.append("## Who they are")
    for segment, persona in report.personas.items():
        parts.append(f"### {_escaped(segment)}")
        lines = [persona.headline() + "."]
        lines += ["", *(f"- {_escaped(trait.text)}" for trait in persona.traits)]
        for group, traits in persona.groups.items():
            said = "; ".join(_escaped(trait.text) for trait in traits)
            lines += ["", f"**{_escaped(group)}:** {said}"]
        if representatives and persona.representatives:
            lines += ["", f"Typical customers, rows {_rows(persona)}."]
        parts.append("\n".join(lines))
    parts += ["## What sets them apart", _markdown(report.drivers())]
    table, _ = report.cells()
    table = table.drop(columns="group", errors="ignore").rename(columns={"label": "variable"})
    parts += ["## Profile", _markdown(table), "\n".join(f"- {_escaped(n)}" for n in report.notes())]
    return "\n\n".join(parts) + "\n"


def html_report(profiler: SegmentProfiler, *, title: str, representatives: bool) -> str:
    """Return the report as an HTML page of its own."""
    from segkit.profiling._report_html import page

    report = ReportText(profiler)
    cards = []
    for segment, persona in report.personas.items():
        said = f"<h3>{html.escape(segment)}</h3>"
        said += f"<p class='size'>{html.escape(persona.headline())}</p>"
        items = "".join(f"<li>{html.escape(trait.text)}</li>" for trait in persona.traits)
        if items:
            said += f"<ul>{items}</ul>"
        elif persona.customers is not None:
            said += "<p>As everyone in all that is described.</p>"
        for group, traits in persona.groups.items():
            items = "".join(f"<li>{html.escape(trait.text)}</li>" for trait in traits)
            said += f"<h4>{html.escape(group)}</h4><ul>{items}</ul>"
        if representatives and persona.representatives:
            said += f"<p class='group'>Typical customers, rows {_rows(persona)}</p>"
        cards.append(said)
    return page(report, title=title, cards=cards)


def _told_by_mean(profile: pd.DataFrame) -> set[str]:
    """Return the variables whose medians tell segments apart no better than one number would."""
    rows = profile.loc[(profile["kind"] == "number") & (profile["segment"] != EVERYONE)]
    by_variable = rows.groupby("variable", sort=False)["median"]
    few = by_variable.nunique() <= by_variable.size() // 2
    return {str(name) for name in few.index[few.to_numpy()]}


def _rows(persona: Persona) -> str:
    return ", ".join(f"{row}" for row in persona.representatives)


def _markdown(table: pd.DataFrame) -> str:
    rows: Sequence[Sequence[str]] = [
        list(table.columns),
        *table.astype(str).to_numpy().tolist(),
    ]
    lines = ["| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows]
    rule = "| " + " | ".join(["---", *["---:"] * (len(table.columns) - 1)]) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def _escaped(text: str) -> str:
    """Return text that Markdown reads as it stands."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
