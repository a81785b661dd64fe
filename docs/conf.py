"""How Sphinx makes a site of these pages: `make docs` builds it into build/docs."""

import re
from pathlib import Path

from sphinx.application import Sphinx

FOLDER = Path(__file__).parent
changelog = (FOLDER.parent / "CHANGELOG.md").read_text()
newest = re.search(r"^## (.+)$", changelog, re.MULTILINE)

project = "aws-iam"
author = "Charmed Kubernetes developers"
version = release = newest[1].lower() if newest else ""
html_title = f"{project} {version}"
# Commands and statuses stay as they are written.
highlight_language = "none"
smartquotes = False

extensions = ["myst_parser"]
# Admonitions as GitHub shows them: `> [!WARNING]`.
myst_enable_extensions = ["alert"]
exclude_patterns = ["_contents.md"]
# Links may name a heading of these levels, as on GitHub.
myst_heading_anchors = 4
# Warn of every link that leads nowhere.
nitpicky = True

# The theme loads fonts, styles and scripts from the site itself, so a page needs no internet.
html_theme = "furo"
html_favicon = "../icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["copy.js", "pictures.js"]
html_copy_source = False
html_use_index = False
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {
    "source_repository": "https://github.com/charmed-kubernetes/charm-aws-iam/",
    "source_branch": "main",
    "source_directory": "docs/",
}


def setup(app: Sphinx) -> None:
    """Let Sphinx call `complete` for each page that it has read."""
    app.connect("source-read", complete)


def complete(_app: Sphinx, page: str, source: list[str]) -> None:
    """Add to the index what GitHub would show as code: the lists of pages."""
    if page == "index":
        source[0] += "\n" + (FOLDER / "_contents.md").read_text()
