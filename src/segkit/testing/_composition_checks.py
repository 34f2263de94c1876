"""Checks that a segmenter finds its place among scikit-learn's compositions."""

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from segkit.base import is_segmenter
from segkit.testing._subject import Check, Subject


def check_is_segmenter(subject: Subject, _: pd.DataFrame) -> str | None:
    """is_segmenter tells it, alone and at the end of a Pipeline."""
    if not is_segmenter(subject.estimator):
        return "is_segmenter is False: does the class inherit from SegmenterMixin, on the left?"
    if not is_segmenter(Pipeline([("segmenter", subject.estimator)])):
        return "is_segmenter is False inside a Pipeline"
    if get_tags(subject.estimator).estimator_type is None:
        return "its estimator_type is None: SegmenterMixin must stand left of BaseEstimator"
    return None


def check_pipeline(subject: Subject, customers: pd.DataFrame) -> str | None:
    """At the end of a Pipeline it predicts as it does alone."""
    pipeline = Pipeline(
        [("pass", FunctionTransformer()), ("segmenter", clone(subject.fitted))]
    ).fit(customers)
    alone = clone(subject.fitted).fit(customers).predict(customers)
    return (
        None
        if np.array_equal(pipeline.predict(customers), alone)
        else ("at the end of a Pipeline it predicts other codes than alone")
    )


def check_column_transformer(subject: Subject, customers: pd.DataFrame) -> str | None:
    """In a ColumnTransformer it transforms as it does alone."""
    if not hasattr(subject.estimator, "transform"):
        return None
    columns = list(subject.used(customers).columns)
    combined = ColumnTransformer([("segmenter", clone(subject.fitted), columns)])
    return _transform_problem(subject, customers, combined, "ColumnTransformer")


def check_feature_union(subject: Subject, customers: pd.DataFrame) -> str | None:
    """In a FeatureUnion it transforms as it does alone."""
    if not hasattr(subject.estimator, "transform"):
        return None
    combined = FeatureUnion([("segmenter", clone(subject.fitted))])
    return _transform_problem(subject, customers, combined, "FeatureUnion")


COMPOSITION_CHECKS: tuple[Check, ...] = (
    check_is_segmenter,
    check_pipeline,
    check_column_transformer,
    check_feature_union,
)


def _transform_problem(
    subject: Subject,
    customers: pd.DataFrame,
    combined: ColumnTransformer | FeatureUnion,
    name: str,
) -> str | None:
    alone = clone(subject.fitted).fit(customers).transform(customers)
    inside = combined.fit(customers).transform(customers)
    if not np.array_equal(np.asarray(inside), np.asarray(alone), equal_nan=True):
        return f"in a {name} it transforms to other features than alone"
    names = list(combined.get_feature_names_out())
    expected = [f"segmenter__{feature}" for feature in subject.fitted.get_feature_names_out()]
    return None if names == expected else f"in a {name} its features are named {names}"
