"""The search of the site that `make docs` builds."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sphinx.search.en import SearchEnglish

INDEX = Path(__file__).parents[2] / "build/docs/searchindex.js"
# What people type into the search, by the page that it must find.
PAGES = {
    "how-to/air-gapped": ["air-gapped"],
    "how-to/let-machines-log-in": ["JWT", "CI", "machines"],
    "how-to/beside-oidc-and-keystone": ["OIDC", "Keystone", "LDAP"],
    "how-to/permission-sets": ["SSO"],
    "how-to/make-a-role": ["IAM group", "CI runner", "MFA"],
    "how-to/temporary-access": ["offboard", "contractor", "cross-account"],
    "how-to/review-who-has-access": ["administrator"],
    "how-to/change-the-authority": ["CA expires", "rotate"],
    "how-to/on-1.28": ["rollback"],
    "how-to/remove": ["uninstall"],
    "how-to/network": ["firewall", "VPC endpoint"],
    "how-to/terraform": ["Terraform"],
    "how-to/errors": [
        *("troubleshoot", "intermittent", "every second time", "works when repeated", "x509"),
        *("401", "403 Forbidden", "x509: certificate signed by unknown authority"),
        "error: You must be logged in to the server (Unauthorized)",
    ],
    "how-to/break-glass": ["break glass"],
    "how-to/gitops": ["ArgoCD", "Argo CD", "Flux", "GitOps"],
    "how-to/audit": ["audit", "evidence", "compliance", "inactive"],
    "explanation/while-something-is-down": ["high availability"],
    "how-to/upgrade": ["downgrade", "release notes"],
    "how-to/behind-a-proxy": ["TLS inspection"],
    "how-to/many-clusters": ["multiple clusters"],
    "index": ["contact"],
    "how-to/vault": ["vault sealed"],
    "how-to/move-from-eks": ["API_AND_CONFIG_MAP"],
}
FOUND = {words: page for page, searches in PAGES.items() for words in searches}


@functools.cache
def index() -> Any:
    assert INDEX.exists(), "run make docs first"
    return json.loads(INDEX.read_text().removeprefix("Search.setIndex(").removesuffix(")"))


def searched(words: str) -> set[str]:
    """Return the pages that have all words, or a heading that is about the same, as Sphinx'
    searchtools.js does: it leaves out numbers and stop words, which stand in no index."""
    english = SearchEnglish({})
    headings = {
        page
        for title, places in index()["alltitles"].items()
        if words.lower() in title.lower() and len(words) >= len(title) / 2
        for page, _ in places
    }

    def having(word: str) -> set[int]:
        stem = english.stem(word.lower())
        found = [index()[terms].get(stem, []) for terms in ("terms", "titleterms")]
        return {page for pages in found for page in ([pages] if isinstance(pages, int) else pages)}

    counted = [each for each in re.findall(r"\w+", words) if english.word_filter(each.lower())]
    pages = headings.union(set.intersection(*map(having, counted)) if counted else ())
    return {index()["docnames"][page] for page in pages}


@pytest.mark.parametrize(("words", "page"), FOUND.items())
def test_given_words_that_people_search_for_then_the_page_on_it_is_found(words: str, page: str):
    assert page in searched(words)
