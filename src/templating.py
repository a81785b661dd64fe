# SPDX-License-Identifier: Apache-2.0

"""The rendering of the files under ``templates/``.

Each value goes in as JSON. JSON is YAML, so no value can change a document's structure.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any, cast

import jinja2

TEMPLATES = Path(__file__).parent.parent / "templates"
_NOT_IN_YAML = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def render(name: str, **values: object) -> str:
    """Return ``templates/<name>`` with ``values`` filled in. Raise jinja2.UndefinedError if the
    template uses a value that was not given."""
    return _environment().get_template(name).render(**values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (YAML, not HTML)
    )
    # jinja2's own tojson escapes <, >, & and ' for HTML; people would read the escapes.
    cast("Any", environment).filters["tojson"] = _as_json
    return environment


def _as_json(value: object) -> str:
    # JSON may escape one character as two surrogates, which YAML rejects; so nothing is escaped
    # but the characters that YAML accepts in no other form.
    text = json.dumps(value, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
