"""The site in a browser: what runs there, and how it looks on a telephone."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.browser import webdriver
from tests.browser.webdriver import Browser

SITE = Path(__file__).parents[2] / "build/docs"
PAGES = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html"))
TELEPHONE, DESK = 360, 1280
# What people type into the search, by the page that it must find.
SEARCHES = {
    "how-to/image": ["air-gapped"],
    "how-to/let-machines-log-in": ["CI", "machines", "GitHub Actions", "Argo CD elsewhere"],
    "how-to/beside-oidc-and-keystone": ["OIDC", "Keystone", "LDAP"],
    "how-to/permission-sets": ["SSO"],
    "how-to/make-a-role": ["IAM group"],
    "how-to/kubeconfigs": ["MFA", "many clusters"],
    "how-to/temporary-access": ["contractor", "cross-account"],
    "how-to/end-access": ["offboard", "stolen laptop"],
    "how-to/certificates": ["CA expires", "rotate", "vault sealed"],
    "how-to/remove": ["uninstall"],
    "how-to/network": ["firewall", "VPC endpoint", "TLS inspection"],
    "how-to/terraform": ["Terraform"],
    "how-to/errors": [
        *("troubleshoot", "intermittent", "every second time", "works when repeated", "x509"),
        *("401", "403 Forbidden", "x509: certificate signed by unknown authority"),
        "error: You must be logged in to the server (Unauthorized)",
    ],
    "how-to/break-glass": ["break glass"],
    "how-to/let-others-write-mappings": ["ArgoCD", "Flux", "GitOps"],
    "how-to/audit": ["audit", "evidence", "administrator", "questionnaire"],
    "explanation/while-something-is-down": ["high availability"],
    "how-to/upgrade": ["downgrade", "release notes", "roll back"],
    "index": ["contact"],
    "how-to/move-from-eks": ["API_AND_CONFIG_MAP"],
}
FOUND = {words: page for page, searches in SEARCHES.items() for words in searches}


@pytest.fixture(scope="module", params=[TELEPHONE, DESK])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    with webdriver.window(request.param) as window:
        yield window


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Serve the built site. Browsers let a page copy from localhost, not from a file."""
    handler = functools.partial(_Quiet, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its base's name)
        pass


def test_given_any_page_then_it_has_no_error_and_shows_its_pictures_within_the_width(
    browser: Browser, site: str
) -> None:
    assert PAGES, "run make docs first"
    for page in PAGES:
        browser.open(f"{site}/{page}")
        # A picture further down is loaded when somebody comes to it.
        browser.run("for (const each of document.images) each.loading = 'eager'")
        browser.wait("return [...document.images].every(each => each.complete)")
        bad = "each => !each.naturalWidth || !each.alt"
        found = browser.run(f"return [...document.images].filter({bad}).map(each => each.src)")
        assert found == [], page
        # A telephone's own width grows with what is too wide.
        wide = browser.run("return document.documentElement.scrollWidth")
        assert wide <= browser.width, page
        assert browser.errors() == [], page


@pytest.mark.parametrize(("words", "page"), FOUND.items())
def test_given_words_in_the_search_then_their_page_is_among_the_first(
    browser: Browser, site: str, words: str, page: str
) -> None:
    browser.open(f"{site}/search.html?q={words}")

    # The links come one by one, and the summary's text after the last of them.
    links = browser.wait(
        "const summary = document.querySelector('#search-results p.search-summary')?.innerText;"
        "const links = [...document.querySelectorAll('#search-results li a')];"
        "return summary && links.length ? links.map(each => each.pathname) : null"
    )
    assert f"/{page}.html" in links[:5]
    assert browser.errors() == []


def test_given_commands_and_what_they_print_then_the_button_copies_the_commands(
    browser: Browser, site: str
) -> None:
    browser.open(f"{site}/tutorial.html")

    texts = browser.run("return [...document.querySelectorAll('div.highlight')].map(copied)")
    buttons = "return document.querySelectorAll('div.highlight button.copy').length"
    assert "make testbed" in texts
    assert "juju status aws-iam" in texts
    assert not any("2/2 pods" in text or "webhook not set" in text for text in texts)
    assert browser.run(buttons) == len([text for text in texts if text])


def test_given_a_picture_then_it_is_a_link_to_its_full_size(browser: Browser, site: str) -> None:
    browser.open(f"{site}/explanation/how-it-works.html")

    pictures = "[...document.querySelectorAll('article img')]"
    linked = "each => each.parentElement.href === each.src"
    assert browser.run(f"return {pictures}.length")
    assert browser.run(f"return {pictures}.every({linked})")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_given_a_theme_then_the_text_and_the_pictures_of_a_page_stand_out_from_its_ground(
    browser: Browser, site: str, theme: str
) -> None:
    browser.open(f"{site}/explanation/how-it-works.html")
    browser.run(f"localStorage.setItem('theme', '{theme}')")
    browser.open(f"{site}/explanation/how-it-works.html")

    style = "getComputedStyle(document.querySelector('article {}')).{}"
    ground = _brightness(browser.run("return getComputedStyle(document.body).backgroundColor"))
    text = _brightness(browser.run(f"return {style.format('p', 'color')}"))
    turned = browser.run(f"return {style.format('img', 'filter')}").startswith("invert(")
    browser.run("localStorage.removeItem('theme')")

    assert (ground > text) is (theme == "light")
    assert abs(ground - text) > 128
    # The pictures are dark on white.
    assert turned is (theme == "dark")


def _brightness(color: str) -> float:
    """Return how bright a color such as `rgb(1, 2, 3)` is, from 0 to 255."""
    red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
    return 0.3 * red + 0.6 * green + 0.1 * blue
