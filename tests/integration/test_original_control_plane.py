"""A control plane whose webhook works as the original's of 1.28 does.

It reads only the URL from aws-iam's file. It answers 500 where
the authenticator refuses, and it also knows the administrator's token. The last tests upgrade it
to 1.29, after they went astray and back.
"""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import (
    bundle,
    certificates,
    how_to,
    juju_status,
    logins,
    settled,
    testbed_only,
    upgrade_page,
)
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import report, upgrade

pytestmark = pytest.mark.slow

CONTROL_PLANE = "kubernetes-control-plane/0"
FORWARDER = "cdk.master.auth-webhook.service"
# The API server asks a webhook that fails five times, within four to five seconds.
OPTIONS = """
applications:
  kubernetes-control-plane:
    options:
      channel: 1.28/stable
      webhook-caller: original
      api-extra-args: authentication-token-webhook-cache-ttl=1s
"""


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> jubilant.Juju:
    extra: Path = tmp_path_factory.mktemp("overlay") / "original.yaml"
    extra.write_text(OPTIONS)
    bundle.deploy(juju, extra=[extra])
    juju_status.wait_until_active(juju)
    return juju


def test_given_a_new_authority_then_the_rotation_ends(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    former = certificates.presented(deployed, cluster)

    testbed_only.ask_authority(deployed, "easyrsa", "new-authority")
    juju_status.wait_until_active(deployed)

    assert certificates.newly_presented(deployed, cluster) != former
    assert logins.wait_for_login(cluster) == "knobby"
    settled.end_former_pods(deployed, cluster)
    certificates.all_units_trust(deployed, certificates.authority(deployed))
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_the_relation_when_the_control_plane_is_refreshed_to_1_29_then_juju_refuses(
    deployed: jubilant.Juju,
) -> None:
    [line] = upgrade_page.shown(upgrade_page.TITLE)
    [command] = upgrade_page.commands(upgrade_page.REFRESH)

    with pytest.raises(jubilant.CLIError) as refused:
        how_to.run(deployed, command)

    # Juju 4 has words of its own, which the page, being for 3.6, does not show.
    said = line.removeprefix("… ")
    if deployed.version().tuple >= (4,):
        said = 'charm has no corresponding relation "aws-iam"'
    assert refused.value.stderr.strip().endswith(said)


def test_given_that_the_first_relation_went_too_early_then_the_second_brings_people_back(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    [too_early] = upgrade_page.commands(upgrade_page.REMOVE_FIRST)
    how_to.run(deployed, too_early)
    deployed.wait(has_no_units, error=jubilant.any_error, delay=0.5, timeout=120)
    assert cluster.whoami("knobby").returncode != 0

    [second] = upgrade_page.commands(upgrade_page.TOO_EARLY)
    how_to.run(deployed, second)
    juju_status.wait_until(deployed, "blocked")
    how_to.run(deployed, upgrade_page.command_in_status(deployed))
    upgrade_page.settle(deployed)

    assert upgrade_page.statuses(upgrade_page.REMOVE_FIRST) == [upgrade_page.status(deployed)]
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_that_the_first_relation_is_gone_when_the_way_back_is_taken_then_no_login_fails(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    certified = upgrade.with_certificate(deployed, tmp_path)
    first, *undo = upgrade_page.commands(upgrade_page.WAY_BACK)

    with upgrade.steady_load(deployed, certified) as load:
        how_to.run(deployed, first)
        upgrade_page.settle(deployed)
        of_step_3 = upgrade_page.commands(upgrade_page.REMOVE_FIRST)
        assert [upgrade_page.command_in_status(deployed)] == of_step_3
        for command in undo:
            how_to.run(deployed, command)
            upgrade_page.settle(deployed)

    assert upgrade.lost(deployed, load) == []
    assert upgrade_page.command_in_status(deployed) == ""
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_a_steady_load_when_upgraded_to_1_29_as_the_page_says_then_no_login_fails(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certified = upgrade.with_certificate(deployed, tmp_path)
    load, steps = upgrade.under_load(deployed, certified)
    lost = upgrade.lost(deployed, load)

    with capsys.disabled():
        print(f"\n{report.table(load, steps)}")
        print(f"{len(lost)} failed but for restarts of the control plane's webhook")
    # The charm of 1.29 has no endpoint aws-iam.
    assert "aws-iam" not in deployed.exec("cat metadata.yaml", unit=CONTROL_PLANE).stdout
    assert lost == []
    assert "aws-iam-webhook.yaml" not in deployed.exec("ls /root/cdk", unit=CONTROL_PLANE).stdout
    assert logins.wait_for_login(cluster) == "knobby"


def has_no_units(status: jubilant.Status) -> bool:
    """Return whether aws-iam has no units, not even some that are being removed."""
    return not status.get_units("kubernetes-control-plane")[CONTROL_PLANE].subordinates
