"""The model's proxies, as the pods are told of them."""

from __future__ import annotations

import pytest

from errors import Blocked
from juju import proxies

GOOD = (
    *("http://proxy", "https://proxy.example.com/", "http://[fd00::1]:3128"),
    *("http://user:p%40ss!$&'()*+,;=:@word@proxy:3128", "http://proxy:65535"),
)
BAD = (
    *("proxy:3128", "socks5://proxy:1080", "http://:3128", "http://proxy:65536"),
    *("http://proxy/path", "http://user:a#b@proxy", "http://user:50%@proxy"),
    *("http://user:ä@proxy", "http://proxy\nhttp://other"),
)


@pytest.mark.parametrize("url", GOOD)
def test_given_a_url_that_go_takes_for_a_proxy_then_it_is_taken_and_never_shown(url: str):
    found = proxies.of_model({"JUJU_CHARM_HTTP_PROXY": url})

    assert found.urls == {"HTTP_PROXY": url}
    assert url not in repr(found)


@pytest.mark.parametrize("url", BAD)
def test_given_a_url_that_go_cannot_take_then_its_option_is_named(url: str):
    with pytest.raises(Blocked, match=r"^model option juju-http-proxy is no proxy's URL; run: "):
        proxies.of_model({"JUJU_CHARM_HTTP_PROXY": url})


@pytest.mark.parametrize(
    ("given", "added"),
    [("", ""), ("localhost,::1, 10.0.0.0/8", ",10.0.0.0/8"), ("$(A) *,$$", ",$$(A),*,$$$$")],
)
def test_given_juju_no_proxy_or_none_then_the_charms_own_names_bypass_proxies_too(
    given: str, added: str
):
    found = proxies.of_model({"JUJU_CHARM_NO_PROXY": given}).no_proxy

    # The kubelet expands nothing of what the model has.
    own = "127.0.0.1,169.254.169.254,::1,localhost,.svc,.cluster.local"
    assert found == f"$(KUBERNETES_SERVICE_HOST),{own}{added}"
