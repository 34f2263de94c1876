"""What segkit does in the cases of customer lifetime value."""

import pandas as pd

from segkit.clv import BetaGeoNBD, CustomerLifetimeValue, GammaGamma, ParetoNBD

from ._job import Job

_MODELS = {
    model.__name__: model for model in (BetaGeoNBD, CustomerLifetimeValue, GammaGamma, ParetoNBD)
}


def fit(customers: str, model: str, loops: int = 1) -> Job:
    """Fit a model, by its name, to a customer table."""
    frame = pd.read_parquet(customers)
    estimator = _MODELS[model]()

    def sums(fitted):
        if not hasattr(fitted, "log_likelihood_"):
            return {}
        parameters = fitted.summary_["estimate"].to_dict()
        return {"log_likelihood": fitted.log_likelihood_, **parameters}

    return Job(lambda: estimator.fit(frame), sums, loops=loops)


def predict(customers: str, model: str, method: str = "predict") -> Job:
    """Ask a fitted model for a number for each customer of the table it was fitted to."""
    frame = pd.read_parquet(customers)
    ask = getattr(_MODELS[model]().fit(frame), method)
    return Job(lambda: ask(frame))
