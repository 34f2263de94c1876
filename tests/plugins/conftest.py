"""The sample is a distribution of its own, one module of which is broken on purpose."""

collect_ignore = ["sample_plugin"]
