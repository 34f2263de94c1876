"""How Sphinx builds the documentation of segkit."""

import sys
from pathlib import Path

import segkit

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "segkit"
author = "The segkit developers"
copyright = "The segkit developers"  # noqa: A001 (the name that Sphinx asks for)
version = release = segkit.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "api_pages",
    "doctest_blocks",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "developers/benchmark_results.md"]

# Quotation marks stay as they are written: many of them belong to code.
smartquotes = False

# Pages are Markdown.
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence"]
myst_heading_anchors = 3

# The API reference. Methods are listed by api_pages, which knows ours from scikit-learn's.
autodoc_typehints = "none"
autosummary_generate = False
numpydoc_show_class_members = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go, .gt"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    # What draws nothing, such as the web service, is shown in a guide.
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",
    "within_subsection_order": "gallery_order.InReadingOrder",
    "abort_on_example_error": True,
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("segkit",),
    "reference_url": {"segkit": None},
    "image_srcset": ["2x"],
    "min_reported_time": float("inf"),
    "write_computation_times": False,
    "show_signature": False,
    "nested_sections": False,
    "remove_config_comments": True,
    "thumbnail_size": (640, 400),
}

html_theme = "pydata_sphinx_theme"
html_title = "segkit"
html_static_path = ["_static"]
html_css_files = ["segkit.css"]
html_favicon = "_static/mark.svg"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "segkit", "image_light": "_static/mark.svg", "image_dark": "_static/mark.svg"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Pages without chapters of their own need no list of them.
html_sidebars = {
    "**": ["sidebar-nav-bs"],
    "index": [],
    "getting_started": [],
    "changelog": [],
}
