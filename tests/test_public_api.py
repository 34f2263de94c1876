"""What is public is what __all__ says, documented and typed; and who imports whom."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import segkit

PACKAGES = [
    "segkit",
    *(
        f"segkit.{module.name}"
        for module in pkgutil.iter_modules(segkit.__path__)
        if not module.name.startswith("_")
    ),
]
NAMES = [
    (package, name)
    for package in PACKAGES
    for name in importlib.import_module(package).__all__
    if name != "__version__"
]
IDS = [".".join(pair) for pair in NAMES]


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_sorted_and_is_what_is_there(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__, key=sort_key)
    defined = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert defined == {name for name in module.__all__ if not name.startswith("__")}


def sort_key(name):
    return (not name[0].isupper(), name)


@pytest.mark.parametrize(("package", "name"), NAMES, ids=IDS)
def test_public_objects_are_documented(package, name):
    documented = getattr(importlib.import_module(package), name)
    docstring = inspect.getdoc(documented) or ""
    assert docstring
    if not (inspect.isclass(documented) and issubclass(documented, BaseException | Warning)):
        assert ">>>" in docstring, "a public docstring has an example that runs"


@pytest.mark.parametrize(("package", "name"), NAMES, ids=IDS)
def test_public_parameters_are_documented(package, name):
    documented = getattr(importlib.import_module(package), name)
    functions = [documented]
    if inspect.isclass(documented):
        functions += [
            function
            for member, function in inspect.getmembers(documented, inspect.isfunction)
            if not member.startswith("_") and function.__module__.startswith("segkit")
        ]
    for function in functions:
        docstring = inspect.getdoc(function) or ""
        if inspect.isclass(function) and issubclass(function, BaseException):
            continue
        for parameter in inspect.signature(function).parameters:
            if parameter not in ("self", "cls", "args", "kwargs"):
                assert parameter in docstring, f"{function.__qualname__}: {parameter}"


def test_a_layer_imports_only_from_the_layers_below_it():
    root = Path(__file__).parents[1]
    linted = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_importing_segkit_does_not_import_extras():
    code = "import sys, segkit; sys.exit(bool({'matplotlib', 'polars', 'duckdb'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
