"""Writes the API reference: what the packages' ``__all__`` name, and nothing else.

A page for each public class and function, one for all exceptions, and an index by package. An
object that several packages export has its page under the shortest name.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import segkit

FOLDER = Path(__file__).parents[1] / "api"

# In the order of the segmentation process; packages that are not named here follow.
PACKAGES_FIRST = [
    "segkit",
    "segkit.features",
    "segkit.segmenters",
    "segkit.clv",
    "segkit.cluster",
    "segkit.profiling",
    "segkit.validation",
    "segkit.monitoring",
    "segkit.metrics",
    "segkit.base",
    "segkit.datasets",
    "segkit.plotting",
    "segkit.testing",
    "segkit.plugins",
    "segkit.persistence",
    "segkit.typing",
    "segkit.exceptions",
]
ON_ONE_PAGE = {"segkit.exceptions"}


def setup(app: Any) -> dict[str, Any]:
    """Write the pages before Sphinx reads any, and let docstrings say ``(n_features_in_,)``."""
    app.connect("builder-inited", lambda _: write_api_pages(FOLDER))
    # Below 500, so that it comes before numpydoc's.
    app.connect("autodoc-process-docstring", escape_fitted_names, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_api_pages(folder: Path) -> None:
    """Write a page for each public object into `folder`, and an index."""
    packages = [importlib.import_module(name) for name in public_packages()]
    homes = homes_of(packages)
    pages = {"index": index_page(packages, homes)}
    for package in packages:
        if package.__name__ in ON_ONE_PAGE:
            pages[package.__name__] = package_page(package)
            continue
        for name in public_names(package):
            if homes[id(getattr(package, name))] == package.__name__:
                pages[f"{package.__name__}.{name}"] = object_page(package, name)
    folder.mkdir(exist_ok=True)
    for outdated in folder.glob("*.rst"):
        if outdated.stem not in pages:
            outdated.unlink()
    for stem, text in pages.items():
        file = folder / f"{stem}.rst"
        # A page that stays as it is keeps its date, so that Sphinx need not read it again.
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def escape_fitted_names(
    _app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]
) -> None:
    """Escape names that end in ``_`` where a docstring gives a type: they are no references."""
    for place, line in enumerate(lines):
        if re.match(r"\w+ : ", line):
            lines[place] = re.sub(r"(?<![`\w])(\w+)_(?=[,)\s])", r"\1\\_", line)


def public_packages() -> list[str]:
    """Return the names of segkit and its public subpackages, in reading order."""
    found = {
        "segkit",
        *(
            f"segkit.{module.name}"
            for module in pkgutil.iter_modules(segkit.__path__)
            if not module.name.startswith("_")
        ),
    }
    named = [name for name in PACKAGES_FIRST if name in found]
    return [*named, *sorted(found - set(named))]


def public_names(package: ModuleType) -> list[str]:
    """Return what a package exports, without dunders."""
    return [name for name in package.__all__ if not name.startswith("__")]


def homes_of(packages: list[ModuleType]) -> dict[int, str]:
    """Return, by the identity of each object, the package with the shortest name that has it."""
    homes: dict[int, str] = {}
    for package in sorted(packages, key=lambda package: package.__name__.count(".")):
        for name in public_names(package):
            homes.setdefault(id(getattr(package, name)), package.__name__)
    return homes


def index_page(packages: list[ModuleType], homes: dict[int, str]) -> str:
    """Return the index: each package with its docstring and a table of what it exports."""
    lines = [
        *_heading("API reference", "="),
        "What stands here is public; nothing else is.",
        "",
    ]
    pages = []
    for package in packages:
        lines += _heading(package.__name__, "-")
        lines += [inspect.getdoc(package) or "", ""]
        lines += [".. autosummary::", "   :nosignatures:", ""]
        for name in public_names(package):
            home = homes[id(getattr(package, name))]
            lines.append(f"   ~{home}.{name}")
            if home == package.__name__ and home not in ON_ONE_PAGE:
                full_name = f"{package.__name__}.{name}"
                pages.append((full_name, full_name.removeprefix("segkit.")))
        lines.append("")
        if package.__name__ in ON_ONE_PAGE:
            pages.append((package.__name__, package.__name__.removeprefix("segkit.")))
    lines += [".. toctree::", "   :hidden:", "   :maxdepth: 1", ""]
    lines += [f"   {title} <{page}>" for page, title in pages]
    return "\n".join([*lines, ""])


def package_page(package: ModuleType) -> str:
    """Return one page for all that a package exports."""
    lines = [*_heading(package.__name__, "="), inspect.getdoc(package) or "", ""]
    lines += [f".. currentmodule:: {package.__name__}", ""]
    for name in public_names(package):
        lines += [f".. autoclass:: {name}", "   :show-inheritance:", ""]
    return "\n".join(lines)


def object_page(package: ModuleType, name: str) -> str:
    """Return the page of a class or function."""
    documented = getattr(package, name)
    lines = [*_heading(name, "="), f".. currentmodule:: {package.__name__}", ""]
    if inspect.isclass(documented):
        lines += [f".. autoclass:: {name}", ""]
        lines += _methods(documented, name)
    else:
        lines += [f".. autofunction:: {name}", ""]
    lines += _examples(f"{package.__name__}.{name}")
    return "\n".join(lines)


def _methods(documented: type, class_name: str) -> list[str]:
    ours, inherited = [], []
    for name, member in inspect.getmembers(documented, _is_member):
        if name.startswith("_"):
            continue
        function = member.fget if isinstance(member, property) else inspect.unwrap(member)
        is_ours = (getattr(function, "__module__", "") or "").startswith("segkit")
        (ours if is_ours else inherited).append(name)
    order = {name: place for place, name in enumerate(_in_source_order(documented))}
    ours.sort(key=lambda name: order.get(name, len(order)))
    lines = []
    if ours:
        lines += [*_heading("Methods", "-"), ".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   ~{class_name}.{name}" for name in ours]
        lines.append("")
    if inherited:
        names = ", ".join(f"``{name}``" for name in inherited)
        lines += [f"From scikit-learn: {names}.", ""]
    for name in ours:
        kind = "autoproperty" if isinstance(getattr(documented, name), property) else "automethod"
        lines += [f".. {kind}:: {class_name}.{name}", ""]
    return lines


def _is_member(member: Any) -> bool:
    return inspect.isroutine(member) or isinstance(member, property)


def _in_source_order(documented: type) -> list[str]:
    """Return the names of members as the files have them, those of the class itself first."""
    return list(dict.fromkeys(name for owner in documented.__mro__ for name in vars(owner)))


def _examples(full_name: str) -> list[str]:
    """Return the gallery's examples that use an object, if there are any."""
    return [f".. minigallery:: {full_name}", "   :add-heading: In the gallery", ""]


def _heading(title: str, underline: str) -> list[str]:
    return [title, underline * len(title), ""]
