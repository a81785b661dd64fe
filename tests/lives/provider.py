"""What the provider of certificates does, and its relation."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Easyrsa
from tests.lives.steps import Step

if TYPE_CHECKING:
    from tests.lives.life import Life


def provider(life: Life, step: Step) -> None:
    kind, model = step.what["kind"], life.model
    provider = model.provider
    if kind == "is silent":
        model.silent = True
    elif kind == "speaks":
        model.silent = False
    elif provider and kind == "another authority":
        life.provider_number += 1
        new = life.new_provider()
        if isinstance(provider, Easyrsa):
            provider.replace_authority(new.authority)
            provider.reissue()
        else:
            model.provider = new
        life.reasons.add(kind)
    elif provider and kind == "signs again":
        if isinstance(provider, Easyrsa):
            provider.reissue()
        elif isinstance(provider, SelfSigned):
            provider._issued.clear()
        life.reasons.add(kind)


def certificates(life: Life, step: Step) -> None:
    """The relation with the provider is removed, or made again, with another authority."""
    model = life.model
    if life.transport.runs or not life.is_deployed:
        return
    if model.provider:
        for unit in life.units:
            if unit not in life.silent:
                broken = model.broken("certificates")
                go = functools.partial(model.hook, broken, unit=unit)
                life.run(unit, "certificates-broken", step, go)
        model.provider = None
        life.due = [[each for each in due if "certificates" not in each] for due in life.due]
        return
    life.provider_number += step.what.get("other", 1)
    life.reasons.add("another relation")
    model.move(life.new_provider())
    for unit in life.units:
        # The charm hears of it by relation-created alone.
        model.units[unit].known = frozenset(r.id for r in model._relations(unit))
        life.due[unit].insert(0, "certificates-created")
