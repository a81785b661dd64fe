"""The texts of the statuses that the charm can show, read from its code.

A text is a pattern: it has `HOLE` where the code fills in what differs from unit to unit. The
texts of `errors.Blocked` and both kinds of `errors.Waiting` are found wherever the code makes
one. If the text is made elsewhere, `_ELSEWHERE` says where, by the expression that hands it on.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"
HOLE = "<>"
# What is said here stands in the result of an action, and in no status.
_OF_ACTIONS = ("actions/", "checks/", "access/grants.py", "cluster/bindings.py")
_CLASSES = {"Blocked": "blocked", "Waiting": "waiting", "WaitingForKubeconfig": "waiting"}
_CERTIFICATES = "certificates/relation.py"
# Calls and variables inside each other: more of them are a circle.
_DEEPEST = 30


@dataclass(frozen=True)
class Module:
    """A file of ``src/``: its tree, its constants and functions, and the modules it imports."""

    tree: ast.Module
    constants: Mapping[str, ast.expr]
    functions: Mapping[str, ast.FunctionDef]
    imports: Mapping[str, str]


@functools.cache
def _module(path: str) -> Module:
    tree = ast.parse((SRC / path).read_text())
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return Module(tree, dict(_assigned(tree)), functions, dict(_imported(tree)))


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each name that an import gives a module of ``src/``, and the module's path."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            pairs = [(alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            pairs = [(alias.name, f"{node.module}/{alias.name}") for alias in node.names]
        else:
            continue
        for name, module in pairs:
            for path in (f"{module.replace('.', '/')}.py", f"{_parent(module)}.py"):
                if (SRC / path).is_file():
                    yield name, path


def _parent(module: str) -> str:
    return module.rpartition("/")[0].replace(".", "/")


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: its module, and the function around it, if there is one."""

    path: str
    function: ast.FunctionDef | None = None

    @property
    def module(self) -> Module:
        """Return the module in which the expression stands."""
        return _module(self.path)

    def texts(self, node: ast.expr, depth: int = 0) -> list[str]:
        """Return the texts that ``node`` may have, with holes; a lone hole if it may have any."""
        found = list(dict.fromkeys(self._texts(node, depth))) if depth < _DEEPEST else [HOLE]
        return [HOLE] if HOLE in found else found

    def _texts(self, node: ast.expr, depth: int) -> Iterable[str]:
        deeper = depth + 1
        match node:
            case ast.Constant(value=str() | int() as value):
                return [str(value)]
            case ast.Constant(value=None):
                return [""]
            case ast.JoinedStr(values=parts):
                return self._joined(parts, deeper)
            case ast.FormattedValue(value=ast.IfExp(orelse=ast.Constant(value=str() as many))):
                # The ending of a plural.
                return [many]
            case ast.FormattedValue(value=value, format_spec=None, conversion=-1):
                return self.texts(value, deeper)
            case ast.BinOp(op=ast.Add()):
                return self._joined([node.left, node.right], deeper)
            case ast.IfExp():
                return [*self.texts(node.body, deeper), *self.texts(node.orelse, deeper)]
            case ast.Name() | ast.Attribute():
                return self._named(node, deeper)
            case ast.Call(func=called):
                return self._returned(called, deeper)
            case _:
                return [HOLE]

    def _joined(self, parts: Iterable[ast.expr], depth: int) -> Iterable[str]:
        choices = [self.texts(part, depth) for part in parts]
        return ("".join(chosen) for chosen in itertools.product(*choices))

    def _named(self, node: ast.Name | ast.Attribute, depth: int) -> list[str]:
        """Return the texts of a local variable or of a constant."""
        if isinstance(node, ast.Attribute):
            path = self._path_of(node.value)
            constant = _module(path).constants.get(node.attr) if path else None
            return Scope(path).texts(constant, depth) if path and constant else [HOLE]
        if self.function and (local := list(self._local(self.function, node.id, depth))):
            return local
        path = self.path if node.id in self.module.constants else self.module.imports.get(node.id)
        constant = _module(path).constants.get(node.id) if path else None
        return Scope(path).texts(constant, depth) if path and constant else [HOLE]

    def _local(self, function: ast.FunctionDef, name: str, depth: int) -> Iterator[str]:
        if name in [argument.arg for argument in function.args.args]:
            yield HOLE
        former: list[str] = []
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                    former += self.texts(value, depth)
                case ast.AugAssign(target=ast.Name(id=found), value=value) if found == name:
                    more = self.texts(value, depth)
                    former += [a + b for a, b in itertools.product(former, more)]
        yield from former

    def _returned(self, called: ast.expr, depth: int) -> list[str]:
        """Return the texts that a function of ``src/`` returns."""
        match called:
            case ast.Name(id=name) if name in self.module.functions:
                return _returns(self.path, name, depth)
            case ast.Attribute(value=owner, attr=name) if path := self._path_of(owner):
                return _returns(path, name, depth) if name in _module(path).functions else [HOLE]
            case _:
                return [HOLE]

    def _path_of(self, node: ast.expr) -> str | None:
        """Return the path of the module that ``node`` names; None if it names something else."""
        if not isinstance(node, ast.Name):
            return None
        arguments = self.function.args.args if self.function else []
        shadowed = node.id in [argument.arg for argument in arguments]
        return None if shadowed else self.module.imports.get(node.id)


def _scopes(path: str, function: str = "") -> Iterator[tuple[Scope, ast.AST]]:
    """Yield every node of a module, or of one function, with its scope."""
    module = _module(path)
    inside = {id(node): found for found in module.functions.values() for node in ast.walk(found)}
    for node in ast.walk(module.functions[function] if function else module.tree):
        yield Scope(path, inside.get(id(node))), node


def _returns(path: str, function: str, depth: int = 0) -> list[str]:
    """Return the texts that a function returns, without the empty one."""
    scopes = _scopes(path, function)
    values = [(s, n.value) for s, n in scopes if isinstance(n, ast.Return) and n.value]
    return [text for scope, value in values for text in scope.texts(value, depth) if text]


def _raises(path: str) -> list[str]:
    """Return the texts of each ValueError that a module raises."""
    found = [(s, n.exc) for s, n in _scopes(path) if isinstance(n, ast.Raise)]
    calls = [(s, c) for s, c in found if isinstance(c, ast.Call) and _name(c.func) == "ValueError"]
    return [text for scope, call in calls for text in scope.texts(call.args[0])]


def _keywords(path: str, keyword: str) -> list[str]:
    """Return the texts that a module passes as an argument of this name."""
    nodes = [(s, n) for s, n in _scopes(path) if isinstance(n, ast.keyword) and n.arg == keyword]
    return [text for s, n in nodes for text in _complete(s, n.value)]


def _appended(path: str, function: str) -> list[str]:
    """Return the texts that a function appends to a list."""
    calls = [(s, n) for s, n in _scopes(path, function) if isinstance(n, ast.Call)]
    found = [(s, call.args[0]) for s, call in calls if _name(call.func) == "append"]
    return [text for s, value in found for text in s.texts(value)]


def _listed(path: str, function: str) -> list[str]:
    """Return the texts of a function's lists."""
    lists = [(s, n) for s, n in _scopes(path, function) if isinstance(n, ast.List)]
    texts = [text for s, n in lists for value in n.elts for text in s.texts(value)]
    return [text for text in texts if text != HOLE]


def _values(path: str, function: str) -> list[str]:
    """Return the texts that a function puts into a dictionary."""
    found = [(s, n) for s, n in _scopes(path, function) if isinstance(n, ast.DictComp)]
    return [text for s, n in found for text in s.texts(n.value) if text != HOLE]


def _local(path: str, function: str, name: str) -> list[str]:
    """Return the texts that a function gives its variable ``name``."""
    scope = Scope(path, _module(path).functions[function])
    assigned = [n for _, n in _scopes(path, function) if isinstance(n, ast.Assign)]
    values = [n.value for n in assigned if _name(n.targets[0]) == name]
    return [text for value in values for text in scope.texts(value) if text != HOLE]


def _shell() -> list[str]:
    """Return what `dispatch` says where the machine's Python is of no use."""
    texts: list[str] = []
    for line in re.findall(r'problem="(.*)"', (SRC / "check-python.sh").read_text()):
        former, _, rest = line.rpartition("$problem")
        text = re.sub(r"\$\{[^}]*\}|\$\w+", HOLE, rest)
        texts.append(f"{texts.pop()}{text}" if former or line != rest else text)
    return texts


def _name(node: ast.expr) -> str:
    """Return the last name in ``node``, such as ``append`` in ``parts.append``."""
    return ast.unparse(node).rpartition(".")[2]


# Where the text of an expression comes from, if the scan cannot follow it.
_ELSEWHERE: dict[str, Callable[[], list[str]]] = {
    "config.py: str(error)": lambda: [*_raises("config.py"), *_raises("access/partitions.py")],
    "leader/steps.py: issued.warning": lambda: _returns("certificates/issued.py", "warning"),
    "leader/steps.py: spec.proxies.remark": lambda: Scope("juju/proxies.py").texts(
        ast.Name("NO_HTTPS")
    ),
    "leader/steps.py: trusted.remark": lambda: _appended("juju/extra_cas.py", "receive"),
    "certificates/issued.py: self.refusal": lambda: _keywords(_CERTIFICATES, "refusal"),
    "certificates/issued.py: self.wait": lambda: _keywords(_CERTIFICATES, "wait"),
    "certificates/relation.py: refusal": lambda: _returns(
        "certificates/csr_protocol.py", "refusal"
    ),
}


def _complete(scope: Scope, value: ast.expr) -> list[str]:
    """Return the texts of ``value``, from elsewhere if `_ELSEWHERE` says so.

    Raises:
        LookupError: nothing says what they are.
    """
    found = [text for text in scope.texts(value) if text]
    if found != [HOLE]:
        return found
    key = f"{scope.path}: {ast.unparse(value)}"
    if key not in _ELSEWHERE:
        raise LookupError(f"say in scripts/status_texts.py, _ELSEWHERE, what {key!r} may say")
    return _ELSEWHERE[key]()


def _raised() -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each `errors.Blocked` and `errors.Waiting`."""
    for file in sorted(SRC.rglob("*.py")):
        path = str(file.relative_to(SRC))
        if path.startswith(_OF_ACTIONS):
            continue
        for scope, node in _scopes(path):
            if isinstance(node, ast.Call) and (kind := _CLASSES.get(_name(node.func))):
                for text in _complete(scope, node.args[0]):
                    yield kind, text


def _active() -> list[str]:
    """Return the parts of an active status."""
    texts = [
        *_listed("leader/report.py", "line"),
        *_returns("leader/report.py", "_count"),
        *_appended("leader/report.py", "line"),
        *_local("reconcile.py", "_follow", "line"),
        *_returns("juju/control_plane.py", "next_step"),
    ]
    for scope, node in _scopes("leader/steps.py"):
        if isinstance(node, ast.Call) and _name(node.func) == "line":
            remarks = [value for arg in node.args[3:] for value in _unpacked(scope, arg)]
            texts += [text for value in remarks for text in _complete(scope, value)]
    return texts


def _unpacked(scope: Scope, argument: ast.expr) -> list[ast.expr]:
    """Return the elements of the tuple that a starred argument names, and any other as it is."""
    if not isinstance(argument, ast.Starred) or not scope.function:
        return [argument]
    assigned = [node for node in ast.walk(scope.function) if isinstance(node, ast.Assign)]
    named = [node.value for node in assigned if _name(node.targets[0]) == _name(argument.value)]
    return [value for node in named if isinstance(node, ast.Tuple) for value in node.elts]


def _mapping_problems() -> list[str]:
    """Return what an active status says of a mapping after ``to correct``."""
    found = [
        *_returns("access/arn.py", "mismatch"),
        *_raises("access/arn.py"),
        *_returns("access/partitions.py", "mismatch"),
        *_returns("access/mappings.py", "_problem"),
        *_returns("access/expiry.py", "mismatch"),
        *_values("leader/mappings.py", "apply"),
        *_values("cluster/mappings/canonical.py", "write_all"),
    ]
    return [text for text in found if text != HOLE]


def _not_applied() -> list[str]:
    """Return what an active status says of an entry after ``declared but not applied``."""
    return [
        *_local("access/declaration/plan.py", "_applicable", "reason"),
        *_returns("access/partitions.py", "mismatch"),
        *_values("cluster/mappings/of_option.py", "apply"),
    ]


def find() -> dict[str, list[str]]:
    """Return every text by its kind, each once."""
    kinds: dict[str, list[str]] = {"blocked": _shell(), "waiting": []}
    for kind, text in _raised():
        kinds[kind].append(text)
    kinds["active"] = _active()
    kinds["mapping"] = _mapping_problems()
    kinds["entry"] = _not_applied()
    return {kind: list(dict.fromkeys(texts)) for kind, texts in kinds.items()}
