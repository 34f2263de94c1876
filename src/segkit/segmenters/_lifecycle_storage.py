"""What a file keeps of lifecycle stages: the thresholds, and how silence is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit._storage._state import LearnedState
from segkit.clv._purchase_rates import PurchaseRates
from segkit.segmenters._silences import Silence, SilenceInChance, SilenceInDays, SilenceInGaps
from segkit.segmenters._stage_definition import journey_of
from segkit.segmenters._staging import Staging

if TYPE_CHECKING:
    from segkit.segmenters._lifecycle import LifecycleStager

_TINY = np.finfo(np.float64).tiny


def stored_stages(stager: LifecycleStager) -> dict[str, Any]:
    """Return what a file keeps of a fitted stager."""
    staging, silence = stager._staging, stager._staging.silence
    learned: dict[str, Any] = {
        "thresholds": stager.thresholds_,
        "given": sorted(stager._given),
        "silence": silence.unit,
        "at_risk": staging.at_risk,
        "churned": staging.churned,
        "stages": list(staging.codes),
    }
    if isinstance(silence, SilenceInGaps):
        learned["rates"] = silence.rates._asdict()
    elif isinstance(silence, SilenceInChance):
        learned |= {"model": stager.model_, "model_is_fitted": silence.model is not None}
    return learned


def restore_stages(stager: LifecycleStager, state: LearnedState) -> None:
    """Set what a file kept."""
    silence = _silence(stager, state)
    names = [name.format(silence.unit) for name in ("new_days", "at_risk_{}", "churned_{}")]
    thresholds = state.inside("thresholds")
    stager.thresholds_ = {name: thresholds.number(name, least=0) for name in names}
    stager._given = set(state.texts("given"))
    stages, n_columns = state.texts("stages"), len(stager._columns_used)
    if n_columns not in (3, 4) or stages != journey_of(n_columns):
        state.refuse("stages", f"those of {n_columns} columns", stages)
    if len(stages) != len(stager.segments_):
        state.refuse("stages", "as many as segments", stages)
    stager._staging = Staging(
        silence,
        stager.thresholds_["new_days"],
        state.number("at_risk", least=0),
        state.number("churned", least=0),
        codes={stage: code for code, stage in enumerate(stages)},
    )


def _silence(stager: LifecycleStager, state: LearnedState) -> Silence:
    unit = state.of_type("silence", str)
    if unit == SilenceInDays.unit:
        return SilenceInDays()
    if unit == SilenceInGaps.unit:
        stored = state.inside("rates")
        r, alpha = stored.number("r", least=0), stored.number("alpha", least=_TINY)
        rhythm = SilenceInGaps(PurchaseRates(r, alpha, stored.of_type("is_known", bool)))
        stager.prior_ = rhythm.prior
        return rhythm
    if unit != SilenceInChance.unit:
        state.refuse("silence", "'days', 'gaps' or 'alive'", unit)
    stager.model_ = state.values().get("model")
    if not hasattr(stager.model_, "predict_alive"):
        state.refuse("model", "a model of repeat buying", stager.model_)
    return SilenceInChance(stager.model_ if state.of_type("model_is_fitted", bool) else None)
