"""Transaction logs to try segkit on: drawn from a model, or read from public files."""
