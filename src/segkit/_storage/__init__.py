"""Estimators as JSON: what they hold as plain values, and the files that keep it."""
