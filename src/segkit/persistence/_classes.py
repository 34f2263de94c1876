"""The classes that a file may hold: a fixed list, what the user passes, and what is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segkit._input_checks import nearest
from segkit._storage._estimators import FOREIGN, StoredEstimator, class_name
from segkit.cluster import KPrototypes
from segkit.clv import BetaGeoNBD, CustomerLifetimeValue, GammaGamma, ParetoNBD
from segkit.exceptions import PluginError, SegkitTypeError, SegmenterFileError
from segkit.segmenters import (
    ClusterSegmenter,
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
)

_BUILT_IN = {
    class_name(kind): kind
    for kind in (
        ClusterSegmenter,
        CrossSegmenter,
        LifecycleStager,
        RFMScorer,
        RuleSegmenter,
        ValueTierer,
        BetaGeoNBD,
        CustomerLifetimeValue,
        GammaGamma,
        ParetoNBD,
        KPrototypes,
        *FOREIGN,
    )
}


def is_built_in(estimator: Any) -> bool:
    """Tell whether an estimator, and all that are its parameters, are of the fixed list."""
    inside = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    estimators = [estimator, *(one for one in inside if hasattr(one, "get_params"))]
    return all(type(one) in _BUILT_IN.values() for one in estimators)


class KnownClasses:
    """Finds a class by its name in a file."""

    def __init__(self, given: Sequence[type[Any]]) -> None:
        for kind in given:
            if not isinstance(kind, type) or not issubclass(kind, StoredEstimator):
                raise SegkitTypeError(
                    "segkit.load: classes must hold classes that inherit from "
                    f"segkit.base.SegmenterMixin, got {kind!r}."
                )
        self._given = {kind.__qualname__: kind for kind in given}

    def find(self, name: Any, where: str) -> type[Any]:
        """Return the class of this name."""
        if not isinstance(name, str) or len(name) > 500 or not name.isprintable():
            raise SegmenterFileError(f'{where}: "class" must be the name of a class.')
        if name in _BUILT_IN:
            return _BUILT_IN[name]
        for own, kind in self._given.items():
            if name == class_name(kind) or name.endswith(f".{own}"):
                return kind
        last = name.rpartition(".")[2]
        announced = _announced(name, last, where)
        if announced is not None:
            return announced
        near = nearest(name, list(_BUILT_IN))
        raise SegmenterFileError(
            f"{where} holds a {name!r}, which is unknown."
            + (f" Did you mean {near!r}?" if near else "")
            + f" For a segmenter of your own pass segkit.load(path, classes=[{last[:60]}])."
        )


def _announced(name: str, last: str, where: str) -> type[Any] | None:
    """Return the class of this name that an installed distribution announces."""
    # Plugins are looked at when they are needed, and not when segkit is imported.
    from segkit.plugins import available, get

    found = available()
    is_called_so = (found["name"] == last) | found["value"].str.endswith(f":{last}")
    for one in sorted(set(found.loc[is_called_so, "name"])):
        try:
            kind = get(one)
        except PluginError as error:
            raise SegmenterFileError(f"{where} holds {last!r}: {error}") from error
        if class_name(kind) == name and issubclass(kind, StoredEstimator):
            return kind
    return None
