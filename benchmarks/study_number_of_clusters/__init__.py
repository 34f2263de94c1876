"""A simulation study: how often each criterion finds the number of clusters, and the test errs."""
