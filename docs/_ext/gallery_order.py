"""The order of the gallery: first what a reader needs first, then the rest by file name."""

READING_ORDER = [
    "plot_quickstart.py",
    "plot_ties_and_new_customers.py",
    "plot_binning.py",
    "plot_groups.py",
    "plot_sensitivity.py",
    "plot_value_tiers.py",
    "plot_lifecycle_stages.py",
    "plot_ledger.py",
    "plot_clv_holdout.py",
    "plot_clusters.py",
    "plot_rules_and_crossings.py",
    "plot_profiles.py",
    "plot_validation.py",
    "plot_monitoring.py",
    "plot_engines.py",
]


class InReadingOrder:
    """Sort key for the files of a section, as sphinx-gallery asks for it."""

    def __init__(self, src_dir: str) -> None:
        self.src_dir = src_dir

    def __call__(self, file_name: str) -> tuple[int, str]:
        """Return the place of a file."""
        known = file_name in READING_ORDER
        return (READING_ORDER.index(file_name) if known else len(READING_ORDER), file_name)

    def __repr__(self) -> str:
        return f"InReadingOrder({self.src_dir!r})"
