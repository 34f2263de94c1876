"""A module that cannot be imported where its dependency is not installed."""

import a_module_that_is_not_installed  # noqa: F401
