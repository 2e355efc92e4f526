"""How the documentation is built: Sphinx with MyST, the furo theme, and generators of our own."""

from __future__ import annotations

import sys
from pathlib import Path

import loom

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

project = "Loom"
author = "the Loom authors"
project_copyright = "the Loom authors"
version = release = loom.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "docs._ext.benchmarks",
    "docs._ext.clauses",
    "docs._ext.command_line",
    "docs._ext.error_codes",
    "docs._ext.fidelity",
    "docs._ext.house_docstrings",
    "docs._ext.limits",
    "docs._ext.mutation",
    "docs._ext.state_diagrams",
    "docs._ext.transcripts",
]

html_theme = "furo"
html_title = f"Loom {release}"
html_static_path = ["_static"]
html_css_files = ["loom.css"]
html_show_sphinx = False
templates_path: list[str] = []
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
autodoc_class_signature = "mixed"
autoclass_content = "both"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True

# The prompt and the output of a console block are not what a reader wants to paste.
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

nitpicky = False
