"""Sphinx configuration: `make docs` builds the site into docs/_build."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "Thinfile"
author = "The Thinfile authors"
copyright = f"2026, {author}"

extensions = ["myst_parser", "sphinx_design", "generated_pages"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_generated", "images/*.md"]
nitpicky = True

html_theme = "pydata_sphinx_theme"
html_title = "Thinfile"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_sidebars = {"**": ["pages"]}
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "navbar_center": [],
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
pygments_style = "friendly"
