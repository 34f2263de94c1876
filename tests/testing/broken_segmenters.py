"""Segmenters that break one promise each, by the check that has to notice.

They are the mistakes that segmentation code is seen to make, each made in a correct segmenter.
"""

import copy
import random
from collections import defaultdict

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin

from segkit.base import SegmenterMixin
from testing.correct_segmenters import EagerSegmenter, LoyaltySegmenter, NeverBoughtSegmenter

#: Name of a check to the classes that it has to reject.
BROKEN = defaultdict(list)


def rejected_by(check):
    def register(broken):
        BROKEN[check].append(broken)
        return broken

    return register


def is_lazy(frame):
    return isinstance(nw.from_native(frame, pass_through=True), nw.LazyFrame)


# scikit-learn's checks.


@rejected_by("check_estimator")
class ConvertsItsArguments(LoyaltySegmenter):
    def __init__(self, *, columns=("recency_days", "monetary"), missing="raise"):
        super().__init__(columns=list(columns), missing=missing)


@rejected_by("check_estimator")
class TransformerMixinOnTheRight(EagerSegmenter, TransformerMixin):
    def transform(self, X):
        return self._validate_customers(X, reset=False)


@rejected_by("check_transformer_get_feature_names_out")
class NamesFeaturesInAList(LoyaltySegmenter):
    def get_feature_names_out(self, input_features=None):
        return list(super().get_feature_names_out(input_features))


@rejected_by("check_param_validation")
class ConstraintsNeverChecked(LoyaltySegmenter):
    def fit(self, X, y=None):
        return EagerSegmenter.fit(self, X, y)


@rejected_by("check_dataframe_column_names_consistency")
class MissingColumnIsZero(LoyaltySegmenter):
    def predict(self, X):
        if isinstance(X, pd.DataFrame):
            X = X.reindex(columns=[str(name) for name in self.feature_names_in_], fill_value=0)
        return super().predict(X)


@rejected_by("check_dataframe_column_names_consistency")
class ForgetsItsColumns(LoyaltySegmenter):
    def fit(self, X, y=None):
        super().fit(X, y)
        if isinstance(X, pd.DataFrame):
            self.feature_names_in_ = list(self.feature_names_in_)
        return self


@rejected_by("check_transformer_get_feature_names_out_pandas")
class InputFeaturesNotChecked(LoyaltySegmenter):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out()


class TransformsOutsideTransformerMixin(EagerSegmenter):
    def transform(self, X):
        self._refuse_lazy(X, verb="transform")
        return self._validate_customers(X, reset=False)[:, :2]

    get_feature_names_out = LoyaltySegmenter.get_feature_names_out


@rejected_by("check_set_output_transform_pandas")
class SetOutputDoesNothing(TransformerMixin, TransformsOutsideTransformerMixin):
    pass


class OwnSetOutput(LoyaltySegmenter):
    """Does without scikit-learn's wrapping of transform, correctly."""

    kinds = ("pandas", "polars")
    listens_globally = True

    def __init_subclass__(cls):
        super().__init_subclass__(auto_wrap_output_keys=None)

    def set_output(self, *, transform=None):
        self._kind = transform
        return self

    def transform(self, X):
        values = super().transform(X)
        kind = getattr(self, "_kind", None)
        if kind is None and self.listens_globally:
            kind = get_config()["transform_output"]
        return self._framed(values, X, kind) if kind in self.kinds else values

    def _framed(self, values, X, kind):
        names = self.get_feature_names_out().tolist()
        if kind == "pandas":
            return pd.DataFrame(values, columns=names, index=getattr(X, "index", None))
        import polars as pl

        return pl.DataFrame(values, schema=names)


@rejected_by("check_set_output_transform")
class AnyOutputIsAnotherOutput(OwnSetOutput):
    def transform(self, X):
        values = super().transform(X)
        return values if getattr(self, "_kind", None) is None else np.asarray(values)[:, ::-1]


@rejected_by("check_set_output_transform_pandas")
class OutputLosesTheIndex(OwnSetOutput):
    def _framed(self, values, X, kind):
        return super()._framed(values, None, kind)


@rejected_by("check_global_output_transform_pandas")
class DeafToGlobalPandas(OwnSetOutput):
    listens_globally = False


@rejected_by("check_set_output_transform_polars")
class KnowsOnlyPandas(OwnSetOutput):
    kinds = ("pandas",)


@rejected_by("check_global_set_output_transform_polars")
class DeafToGlobalPolars(OwnSetOutput):
    @property
    def listens_globally(self):
        return get_config()["transform_output"] == "pandas"


# What a customer's segment may depend on.


@rejected_by("check_segments_are_distinct_names")
class TwoSegmentsOfOneName(LoyaltySegmenter):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.segments_ = np.array(["active", "active", "dormant", "dormant"], dtype=object)
        return self


@rejected_by("check_segments_are_distinct_names")
class SegmentNamedUnassigned(LoyaltySegmenter):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.segments_[-1] = "unassigned"
        return self


@rejected_by("check_segments_are_distinct_names")
class SegmentsInAList(LoyaltySegmenter):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.segments_ = list(self.segments_)
        return self


@rejected_by("check_codes_within_segments")
class FloatCodes(LoyaltySegmenter):
    def predict(self, X):
        return super().predict(X).astype(np.float64)


@rejected_by("check_codes_within_segments")
class CodesFromOne(LoyaltySegmenter):
    def _codes(self, values):
        return super()._codes(values) + 1


@rejected_by("check_codes_within_segments")
class LabelsInAColumn(LoyaltySegmenter):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.labels_ = self.labels_.reshape(-1, 1)
        return self


@rejected_by("check_fit_predict_equals_labels")
class FitPredictNumbersInOrderOfAppearance(LoyaltySegmenter):
    def fit_predict(self, X, y=None):
        return pd.factorize(super().fit_predict(X, y))[0]


@rejected_by("check_one_row_scores_as_in_the_batch")
class RanksWithinTheFrame(LoyaltySegmenter):
    def _codes(self, values):
        shares = pd.DataFrame(values[:, :2]).rank(method="first", pct=True).to_numpy()
        return 2 * (shares[:, 0] > 0.5) + (shares[:, 1] <= 0.5)


@rejected_by("check_subset_scores_as_in_the_whole")
class CutsQuantilesInPredict(LoyaltySegmenter):
    def _codes(self, values):
        if len(values) < 4:  # too few to cut
            return super()._codes(values)
        spend = pd.Series(values[:, 1])
        return pd.qcut(spend, 4, labels=False, duplicates="drop").to_numpy(dtype=np.int64)


@rejected_by("check_row_order_changes_nothing")
class LearnsFromTheFirstRows(LoyaltySegmenter):
    def _learn(self, values):
        return super()._learn(values[: (len(values) + 1) // 2])


@rejected_by("check_row_order_changes_nothing")
class PrecedingCustomerDecides(LoyaltySegmenter):
    def _codes(self, values):
        return super()._codes(np.vstack([values[:1], values[:-1]]))


@rejected_by("check_extra_and_reordered_columns_change_nothing")
class FirstColumnsOfAFrame(LoyaltySegmenter):
    def predict(self, X):
        if isinstance(X, pd.DataFrame):
            X = X.select_dtypes("number").iloc[:, :2].to_numpy()
        return super().predict(X)


@rejected_by("check_extra_and_reordered_columns_change_nothing")
class LearnsFromTheFirstColumns(LoyaltySegmenter):
    def fit(self, X, y=None):
        super().fit(X, y)
        if isinstance(X, pd.DataFrame):
            numbers = X.select_dtypes("number").iloc[:, :2].to_numpy(dtype=np.float64)
            self.medians_ = self._learn(numbers)
            self._finish_fit(X, self._validate_customers(X, reset=False))
        return self


@rejected_by("check_arrays_are_taken_by_position")
class LastColumnsOfAnArray(LoyaltySegmenter):
    def _validate_customers(self, X, *, reset):
        return super()._validate_customers(
            X[:, -2:] if isinstance(X, np.ndarray) else X, reset=reset
        )


@rejected_by("check_arrays_are_taken_by_position")
class SortsColumnsByName(LoyaltySegmenter):
    def _validate_customers(self, X, *, reset):
        return super()._validate_customers(
            X[:, ::-1] if isinstance(X, np.ndarray) else X, reset=reset
        )


@rejected_by("check_ties_share_a_code")
class FirstOfTheBiggestSpenders(LoyaltySegmenter):
    def _codes(self, values):
        codes = np.ones(len(values), dtype=np.int64)
        codes[np.argmax(values[:, 1])] = 0
        return codes


@rejected_by("check_ties_share_a_code")
class BreaksTiesByRow(RanksWithinTheFrame):
    pass


@rejected_by("check_nothing_is_mutated")
class ClipsTheFrameInPlace(LoyaltySegmenter):
    def fit(self, X, y=None):
        if isinstance(X, pd.DataFrame):
            X["monetary"] = X["monetary"].clip(upper=500)
        return super().fit(X, y)


@rejected_by("check_nothing_is_mutated")
class AddsAColumnToItsInput(LoyaltySegmenter):
    def assign(self, frame, *, name=None):
        if isinstance(frame, pd.DataFrame):
            frame["segment"] = self.predict_segments(frame)
        return super().assign(frame, name=name)


@rejected_by("check_nothing_is_mutated")
class ResolvesAParameterInPlace(LoyaltySegmenter):
    def fit(self, X, y=None):
        self.columns = list(self.columns)
        return super().fit(X, y)


@rejected_by("check_nothing_is_mutated")
class SeedsNumpy(LoyaltySegmenter):
    def _learn(self, values):
        np.random.seed(0)  # noqa: NPY002
        return super()._learn(values[np.random.permutation(len(values))])  # noqa: NPY002


@rejected_by("check_nothing_is_mutated")
class SeedsPython(LoyaltySegmenter):
    def _learn(self, values):
        random.seed(0)
        return super()._learn(values)


@rejected_by("check_same_random_state_same_result")
class IgnoresItsRandomState(LoyaltySegmenter):
    def __init__(self, *, columns=("recency_days", "monetary"), missing="raise", random_state=None):
        super().__init__(columns=columns, missing=missing)
        self.random_state = random_state

    def _learn(self, values):
        self.jitter_ = np.random.normal(size=2)  # noqa: NPY002
        return super()._learn(values)

    def transform(self, X):
        return super().transform(X) + self.jitter_


@rejected_by("check_clone_and_pickle")
class KeepsALambda(LoyaltySegmenter):
    def _learn(self, values):
        self.is_big_ = lambda spend: spend > self.medians_[1]
        return super()._learn(values)


@rejected_by("check_clone_and_pickle")
class PickleForgetsWhatWasLearned(LoyaltySegmenter):
    def __setstate__(self, state):
        super().__setstate__(state)
        if hasattr(self, "medians_"):
            self.medians_ = np.zeros(2)


@rejected_by("check_saved_and_loaded")
class FilesForgetWhatWasLearned(LoyaltySegmenter):
    def _restore(self, state):
        super()._restore(state)
        self.medians_ = np.zeros(2)


@rejected_by("check_saved_and_loaded")
class FilesForgetWhatIsDescribed(LoyaltySegmenter):
    def _learned_state(self):
        learned = super()._learned_state()
        return {**learned, "seen_": 0}

    def _rules(self):
        return [f"of {getattr(self, 'seen_', 1)}" for _ in self.segments_]


@rejected_by("check_memberships_include_the_segment")
class MembershipsAreShares(NeverBoughtSegmenter):
    def memberships(self, X):
        return super().memberships(X).astype(np.float64)


@rejected_by("check_memberships_include_the_segment")
class MembershipsWithoutAColumn(NeverBoughtSegmenter):
    def memberships(self, X):
        return super().memberships(X)[:, :2]


@rejected_by("check_memberships_include_the_segment")
class MembershipsElsewhere(NeverBoughtSegmenter):
    def memberships(self, X):
        return super().memberships(X)[:, ::-1]


# The verbs on every kind of frame.


@rejected_by("check_predict_segments_agrees")
class NamesAsFixedWidthText(LoyaltySegmenter):
    def predict_segments(self, X):
        return super().predict_segments(X).astype(str)


@rejected_by("check_predict_segments_agrees")
class NamesSortedByAlphabet(LoyaltySegmenter):
    def predict_segments(self, X):
        return np.sort(self.segments_)[::-1][self.predict(X)]


@rejected_by("check_predict_one_agrees")
class OneAtTheEdgeFallsOnTheOtherSide(LoyaltySegmenter):
    def _code_one(self, values):
        recency, monetary = self.medians_
        return 2 * int(values[0] >= recency) + int(values[1] < monetary)


@rejected_by("check_predict_one_agrees")
class RowsMayHoldNothingElse(LoyaltySegmenter):
    def predict_one(self, row):
        return super().predict_one({key: float(value) for key, value in row.items()})


@rejected_by("check_assign_agrees")
class ExpressionAtTheEdgeFallsOnTheOtherSide(LoyaltySegmenter):
    def _code_expression(self, values):
        recency, monetary = (float(median) for median in self.medians_)
        dormant = nw.when(values[0] >= recency).then(nw.lit(2)).otherwise(nw.lit(0))
        return dormant + nw.when(values[1] > monetary).then(nw.lit(0)).otherwise(nw.lit(1))


class ChangesTheAssignedFrame(LoyaltySegmenter):
    def assign(self, frame, *, name=None):
        view = nw.from_native(super().assign(frame, name=name))
        return self._changed(view).to_native()


@rejected_by("check_assign_agrees")
class AssignKeepsOnlyItsColumns(ChangesTheAssignedFrame):
    def _changed(self, frame):
        return frame.drop("zz_text", strict=False)


@rejected_by("check_assign_agrees")
class AssignDropsAColumnUsed(ChangesTheAssignedFrame):
    def _changed(self, frame):
        return frame.drop("recency_days")


@rejected_by("check_assign_agrees")
class AssignRoundsAColumn(ChangesTheAssignedFrame):
    def _changed(self, frame):
        return frame.with_columns(nw.col("monetary").round(0))


@rejected_by("check_assign_agrees")
class AssignMakesIntegersFloats(ChangesTheAssignedFrame):
    def _changed(self, frame):
        return frame.with_columns(nw.col("recency_days").cast(nw.Float64))


@rejected_by("check_assign_agrees")
class AssignSortsTheRows(ChangesTheAssignedFrame):
    def _changed(self, frame):
        return frame.sort("monetary")


@rejected_by("check_assign_agrees")
class AssignLosesTheIndex(LoyaltySegmenter):
    def assign(self, frame, *, name=None):
        assigned = super().assign(frame, name=name)
        return assigned.reset_index(drop=True) if isinstance(frame, pd.DataFrame) else assigned


@rejected_by("check_assign_agrees")
class AssignReturnsPandas(LoyaltySegmenter):
    def assign(self, frame, *, name=None):
        view = nw.from_native(super().assign(frame, name=name))
        return view.to_native() if isinstance(view, nw.LazyFrame) else view.to_pandas()


@rejected_by("check_assign_adds_the_features_of_transform")
class AssignAddsOtherFeatures(LoyaltySegmenter):
    def _feature_columns(self, frame, values):
        return super()._feature_columns(frame, values + 0.5)


@rejected_by("check_assign_adds_the_features_of_transform")
class AssignAddsOtherFeaturesLazily(LoyaltySegmenter):
    def _feature_expressions(self, values):
        return super()._feature_expressions([value + 0.5 for value in values])


@rejected_by("check_every_kind_of_frame_is_alike")
class LearnsTheMeanOutsidePandas(LoyaltySegmenter):
    def fit(self, X, y=None):
        super().fit(X, y)
        if not isinstance(X, pd.DataFrame | np.ndarray | list):
            frame = nw.from_native(X).lazy().select(*self.columns).collect()
            self.medians_ = frame.to_numpy().mean(axis=0)
        return self


@rejected_by("check_every_kind_of_frame_is_alike")
class OldLabelsAfterALazyFit(LoyaltySegmenter):
    def _forget(self):
        pass

    def _finish_fit(self, X, values):
        return self if is_lazy(X) else super()._finish_fit(X, values)


@rejected_by("check_fit_returns_the_segmenter")
class FitReturnsACopy(LoyaltySegmenter):
    def fit(self, X, y=None):
        return copy.copy(super().fit(X, y))


@rejected_by("check_refit_forgets_the_first_fit")
class KeepsTheFirstThresholds(LoyaltySegmenter):
    def _forget(self):
        pass

    def fit(self, X, y=None):
        first = getattr(self, "medians_", None)
        super().fit(X, y)
        if first is not None:
            self.medians_ = first
        return self


@rejected_by("check_nothing_is_mutated")
class EmptiesTheRow(LoyaltySegmenter):
    def predict_one(self, row):
        name = super().predict_one(row)
        row.clear()
        return name


@rejected_by("check_labels_are_ordered_categories")
class LabelsArePlainText(ChangesTheAssignedFrame):
    def _changed(self, frame):
        return frame.with_columns(nw.col(frame.collect_schema().names()[-1]).cast(nw.String))


@rejected_by("check_lazy_stays_lazy")
class AssignCollects(LoyaltySegmenter):
    def assign(self, frame, *, name=None):
        view = nw.from_native(frame)
        if not is_lazy(view) or not view.implementation.is_polars():
            return super().assign(frame, name=name)
        return super().assign(view.collect().to_native(), name=name).lazy()


@rejected_by("check_lazy_is_refused_where_values_are_needed")
class PredictCollects(LoyaltySegmenter):
    def _refuse_lazy(self, X, *, verb):
        pass


@rejected_by("check_lazy_is_refused_where_values_are_needed")
class RefusesWithoutARemedy(LoyaltySegmenter):
    def _refuse_lazy(self, X, *, verb):
        if is_lazy(X):
            raise TypeError("lazy frames are not supported")


@rejected_by("check_missing_values_in_eager_frames")
class ComparesMissingValues(LoyaltySegmenter):
    """NaN ≤ median is false and ~(NaN > median) true: a missing recency is "active"."""

    def _codes_or_unassigned(self, values):
        return self._codes(values)


@rejected_by("check_missing_values_in_eager_frames")
class MissingIsZero(LoyaltySegmenter):
    def _validate_customers(self, X, *, reset):
        if isinstance(X, pd.DataFrame) and self.missing == "raise":
            X = X.fillna(dict.fromkeys(self.columns, 0.0))
        return super()._validate_customers(X, reset=reset)


@rejected_by("check_missing_values_in_eager_frames")
class InfinityIsALargeNumber(LoyaltySegmenter):
    def _validate_customers(self, X, *, reset):
        if isinstance(X, pd.DataFrame):
            X = X.replace(np.inf, 1e300)
        return super()._validate_customers(X, reset=reset)


@rejected_by("check_missing_values_in_eager_frames")
class OneRowMayMiss(LoyaltySegmenter):
    def predict_one(self, row):
        return super().predict_one({key: 0.0 if row[key] != row[key] else row[key] for key in row})


@rejected_by("check_missing_values_in_eager_frames")
class OneMissingValueCostsAllTheirSegment(LoyaltySegmenter):
    def _codes_or_unassigned(self, values):
        codes = super()._codes_or_unassigned(values)
        return np.full_like(codes, -1) if (codes < 0).any() else codes


@rejected_by("check_missing_values_in_eager_frames")
class ProspectAloneIsABuyer(NeverBoughtSegmenter):
    def _code_one(self, values):
        return int(not values[0] > self.median_)

    def _codes_or_unassigned(self, values):
        return np.array([self._code_one(values[0])]) if len(values) == 1 else self._codes(values)


@rejected_by("check_missing_values_in_lazy_frames")
class ComparesMissingValuesInTheEngine(LoyaltySegmenter):
    def assign(self, frame, *, name=None):
        if not is_lazy(frame):
            return super().assign(frame, name=name)
        recency, monetary = (nw.col(column) for column in self.columns)
        code = self._code_expression([recency, monetary])
        label = nw.when(code == 0).then(nw.lit(self.segments_[0]))
        for position, segment in enumerate(self.segments_[1:], start=1):
            label = label.when(code == position).then(nw.lit(segment))
        return nw.from_native(frame).with_columns(label.alias(name or "segment")).to_native()


@rejected_by("check_missing_values_in_lazy_frames")
class ProspectInTheEngineIsABuyer(NeverBoughtSegmenter):
    def _code_expression(self, values):
        return nw.when(values[0] > self.median_).then(nw.lit(0)).otherwise(nw.lit(1))


@rejected_by("check_describe_has_a_row_a_segment")
class DescribesInReverse(LoyaltySegmenter):
    def describe(self):
        return super().describe().iloc[::-1].reset_index(drop=True)


@rejected_by("check_describe_has_a_row_a_segment")
class DescribesWhatItSaw(LoyaltySegmenter):
    def describe(self):
        return super().describe().iloc[:-1]


@rejected_by("check_describe_has_a_row_a_segment")
class DescribesInADict(LoyaltySegmenter):
    def describe(self):
        return super().describe().to_dict()


# Its place among scikit-learn's compositions.


@rejected_by("check_is_segmenter")
class SegmenterMixinOnTheRight(BaseEstimator, SegmenterMixin):
    def __init__(self, *, columns=("recency_days", "monetary"), missing="raise"):
        self.columns = columns
        self.missing = missing

    fit = EagerSegmenter.fit


@rejected_by("check_is_segmenter")
class NoSegmenterMixin(BaseEstimator):
    def fit(self, X, y=None):
        return self


@rejected_by("check_pipeline")
class FitTakesNoTarget(LoyaltySegmenter):
    def fit(self, X):
        return super().fit(X)


@rejected_by("check_column_transformer")
class NeedsAColumnThatItDoesNotName(LoyaltySegmenter):
    def transform(self, X):
        if isinstance(X, pd.DataFrame):
            X = X[X["age"] > 0]
        return super().transform(X)


@rejected_by("check_feature_union")
class FeaturesWithoutNames(EagerSegmenter):
    def transform(self, X):
        return self._validate_customers(X, reset=False)


@rejected_by("check_column_transformer")
class NamesTheColumnsItWasGiven(LoyaltySegmenter):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out() if input_features is None else input_features
