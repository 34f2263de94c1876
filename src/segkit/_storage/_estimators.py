"""Estimators as mappings: class, parameters, and, fitted, what was learned."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from sklearn.cluster import (
    DBSCAN,
    HDBSCAN,
    OPTICS,
    AgglomerativeClustering,
    KMeans,
    MiniBatchKMeans,
    SpectralClustering,
)
from sklearn.frozen import FrozenEstimator

from segkit._storage._values import Encoder, Json
from segkit.exceptions import SegkitTypeError

#: Estimators of scikit-learn that are stored, and what of them is, once they are fitted.
FOREIGN: dict[type[Any], tuple[str, ...]] = {
    **dict.fromkeys((AgglomerativeClustering, DBSCAN, HDBSCAN, OPTICS, SpectralClustering), ()),
    FrozenEstimator: (),
    KMeans: ("cluster_centers_", "inertia_", "n_iter_", "n_features_in_"),
    MiniBatchKMeans: ("cluster_centers_", "inertia_", "n_iter_", "n_features_in_", "n_steps_"),
}

#: What is stored beside this, where there is any.
OPTIONAL = ("feature_names_in_",)


@runtime_checkable
class StoredEstimator(Protocol):
    """An estimator that says itself what is stored of what it learned."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters."""
        ...

    def _stored_parts(self) -> dict[str, Any]: ...

    def _restore_parts(self, parts: Any) -> None: ...


def stored_estimator(estimator: Any, *, owner: str) -> dict[str, Json]:
    """Return a fitted estimator as JSON."""
    return _stored(estimator, owner, "", with_state=True)


def class_name(kind: type[Any]) -> str:
    """Return the public name of a class: where it is imported from."""
    parts = kind.__module__.split(".")
    if parts[0] in ("segkit", "sklearn"):
        parts = [part for part in parts if not part.startswith("_")]
    return ".".join([*parts, kind.__qualname__])


def _stored(estimator: Any, owner: str, where: str, *, with_state: bool) -> dict[str, Json]:
    kind = type(estimator)
    if kind not in FOREIGN and not isinstance(estimator, StoredEstimator):
        raise SegkitTypeError(
            f"{owner}.save: {where or 'it'} holds {kind.__name__}, which JSON cannot hold. Use "
            "skops.io.dump, or, among people who trust each other, joblib.dump."
        )
    # Parameters are what fit clones, and a clone of all but a frozen estimator is not fitted.
    is_frozen = kind is FrozenEstimator
    prefix = f"{where}." if where else ""
    of_parameters = Encoder(
        owner, lambda inside, at: _stored(inside, owner, at, with_state=is_frozen)
    )
    parameters = of_parameters.fields(estimator.get_params(deep=False), f"{prefix}parameters")
    stored = {"class": class_name(kind), "parameters": parameters}
    is_fitted = all(hasattr(estimator, name) for name in FOREIGN.get(kind, ()))
    if not with_state or not is_fitted:
        return stored
    of_state = Encoder(owner, lambda inside, at: _stored(inside, owner, at, with_state=True))
    if kind in FOREIGN:
        names = [name for name in (*FOREIGN[kind], *OPTIONAL) if hasattr(estimator, name)]
        parts: dict[str, Any] = {"learned": {name: getattr(estimator, name) for name in names}}
    else:
        parts = estimator._stored_parts()
    return {**stored, **{n: of_state.value(part, f"{prefix}{n}") for n, part in parts.items()}}
