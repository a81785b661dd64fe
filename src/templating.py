"""The one way in which files under ``templates/`` become text.

Values go through the ``tojson`` filter in the templates: JSON is YAML, so that no value can
change a document's structure.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent.parent / "templates"


def render(name: str, **values: object) -> str:
    """``templates/<name>`` with ``values`` in place.

    Raises:
        TypeError, jinja2.UndefinedError: the template uses a value that was not given.
    """
    return _environment().get_template(name).render(**values)


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (YAML, not HTML)
    )
    # jinja2's own tojson escapes <, >, & and ' for HTML, which would change what people see.
    environment.filters["tojson"] = _as_json
    return environment


def _as_json(value: object) -> str:
    import json

    # Two escapes for one character, as JSON has them, are none in YAML.
    return json.dumps(value, ensure_ascii=False)
