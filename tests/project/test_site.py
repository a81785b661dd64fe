"""The site that `make docs` builds of docs/: what readers find, and what their browsers load."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.search.en import SearchEnglish

ROOT = Path(__file__).parents[2]
# What people type into the search, and a page that it must find.
FOUND = {
    "air-gapped": "how-to/air-gapped",
    "JWT": "how-to/let-machines-log-in",
    "CI": "how-to/let-machines-log-in",
    "machines": "how-to/let-machines-log-in",
    "OIDC": "how-to/beside-oidc-and-keystone",
    "SSO": "how-to/permission-sets",
    "IAM group": "how-to/make-a-role",
    "CI runner": "how-to/make-a-role",
    "offboard": "how-to/temporary-access",
    "administrator": "how-to/review-who-has-access",
    "CA expires": "how-to/change-the-authority",
    "Keystone": "how-to/beside-oidc-and-keystone",
    "LDAP": "how-to/beside-oidc-and-keystone",
    "MFA": "how-to/make-a-role",
    "rollback": "how-to/on-1.28",
    "uninstall": "how-to/remove",
    "firewall": "how-to/network",
    "VPC endpoint": "how-to/network",
    "Terraform": "how-to/terraform",
    "troubleshoot": "how-to/errors",
    "rotate": "how-to/change-the-authority",
    "break glass": "how-to/break-glass",
    "Unauthorized": "how-to/errors",
    "intermittent": "how-to/errors",
    "every second time": "how-to/errors",
    "works when repeated": "how-to/errors",
    "error: You must be logged in to the server (Unauthorized)": "how-to/errors",
    "401": "how-to/errors",
    "403 Forbidden": "how-to/errors",
    "x509": "how-to/errors",
    "x509: certificate signed by unknown authority": "how-to/errors",
    "ArgoCD": "how-to/gitops",
    "Argo CD": "how-to/gitops",
    "Flux": "how-to/gitops",
    "GitOps": "how-to/gitops",
    "contractor": "how-to/temporary-access",
    "cross-account": "how-to/temporary-access",
    "audit": "how-to/audit",
    "evidence": "how-to/audit",
    "compliance": "how-to/audit",
    "inactive": "how-to/audit",
    "high availability": "explanation/while-something-is-down",
    "downgrade": "how-to/upgrade",
    "release notes": "how-to/upgrade",
    "TLS inspection": "how-to/behind-a-proxy",
    "multiple clusters": "how-to/many-clusters",
    "contact": "index",
    "vault sealed": "how-to/vault",
    "API_AND_CONFIG_MAP": "how-to/move-from-eks",
    "Forbidden": "how-to/errors",
}
LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}


class Page(HTMLParser):
    """What a page loads, links to and has anchors for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors = {"", "top"}
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors.add(found.get("id", ""))
        if found.get(LOADED.get(tag, "")):
            self.loads.append(found[LOADED[tag]])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site that `make lint` has built; else build it, as `make docs` does."""
    if built := os.environ.get("SITE"):
        return Path(built)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--doctree-dir"]
    subprocess.run([*command, folder / "doctrees", ROOT / "docs", folder / "html"], check=True)
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Return every page by its file."""
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def searched(site: Path, words: str) -> set[str]:
    """Return the pages that have all words, or a heading that is about the same, as Sphinx'
    searchtools.js does: it leaves out numbers and stop words, which stand in no index."""
    [data] = re.findall(r"Search\.setIndex\((.*)\)", (site / "searchindex.js").read_text())
    index = json.loads(data)
    english = SearchEnglish({})
    stem = english.stem
    headings = {
        index["docnames"][page]
        for title, places in index["alltitles"].items()
        if words.lower() in title.lower() and len(words) >= len(title) / 2
        for page, _ in places
    }

    def having(word: str) -> set[int]:
        found = [index[terms].get(stem(word.lower()), []) for terms in ("terms", "titleterms")]
        return {page for pages in found for page in ([pages] if isinstance(pages, int) else pages)}

    counted = [each for each in re.findall(r"\w+", words) if english.word_filter(each.lower())]
    wanted = [having(word) for word in counted]
    return headings | {index["docnames"][page] for page in set.intersection(*wanted or [set()])}


@pytest.mark.parametrize(("words", "page"), FOUND.items())
def test_given_words_that_people_search_for_then_the_page_on_it_is_found(
    site: Path, words: str, page: str
) -> None:
    assert page in searched(site, words)


def test_given_a_page_then_it_loads_everything_from_the_site_itself(
    site: Path, pages: dict[Path, Page]
) -> None:
    styles = {
        path: re.findall(r"(?:url\(|@import )[\"']?([^\"')\s]+)", path.read_text())
        for path in site.rglob("*.css")
    }
    loaded = {**{path: page.loads for path, page in pages.items()}, **styles}

    for path, targets in loaded.items():
        for target in targets:
            if target.startswith(("data:", "#")):
                continue
            assert not urlsplit(target).netloc, f"{path}: {target} is from elsewhere"
            assert (path.parent / unquote(urlsplit(target).path)).exists(), f"{path}: no {target}"


def test_given_a_link_inside_the_site_then_it_leads_to_a_page_and_an_anchor(
    pages: dict[Path, Page],
) -> None:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path}: {link} leads nowhere"
            anchored = pages.get(target)
            assert not anchored or unquote(parts.fragment) in anchored.anchors, f"{path}: {link}"


def test_given_the_changelog_then_every_page_has_the_newest_version_in_its_title(
    pages: dict[Path, Page],
) -> None:
    [version, *_] = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    for path in pages:
        [title, *_] = re.findall(r"<title>(.*?)</title>", path.read_text())
        assert title.endswith(f"aws-iam {version.lower()}"), path
