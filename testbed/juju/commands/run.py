"""juju run, exec, show-task."""

from __future__ import annotations

import shlex
import subprocess
import threading
from typing import Any

import yaml

from testbed.juju import actions, names, runner
from testbed.juju.commands.configure import dump
from testbed.juju.commands.parsing import wait_seconds
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.model import Machine, MachineLike, Model, Unit, now
from testbed.juju.session import Command, Session
from testbed.juju.tasks import Task, collect

_RUN_SECONDS, _EXEC_SECONDS = 60.0, 300.0
_FORMAT, _WAIT, _BACKGROUND = Flag("format"), Flag("wait"), Flag("background", "bool")
_UTC = Flag("utc", "bool")
MACHINE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"


def run(session: Session, parsed: Parsed) -> int:
    units, name, words = _split(parsed.args)
    base = yaml.safe_load(session.read(parsed.text("params"))) if parsed.text("params") else {}
    if not isinstance(base, dict):
        raise UsageError("params must contain a YAML map with string keys")
    params = actions.parse_params(words, base, as_text=parsed.on("string-args"))
    with session.controller.lock:
        model = session.model
        operation, tasks, problems = _enqueue(session, model, units, name, params)
    if not tasks:
        session.info(
            f"Operation {operation} failed to schedule any tasks:\n" + "\n".join(problems)
        )
        return 0
    _announce(session, operation, tasks)
    if parsed.on("background"):
        return 0
    return _results(session, parsed, tasks, wait_seconds(parsed.text("wait")) or _RUN_SECONDS)


def _split(args: list[str]) -> tuple[list[str], str, list[str]]:
    units: list[str] = []
    for number, arg in enumerate(args):
        if names.is_unit_or_leader(arg):
            units.append(arg)
        elif actions.is_action_name(arg):
            if not units:
                raise UsageError("no unit specified")
            if len({names.application_of(unit) for unit in units}) > 1:
                raise UsageError("all units must be of the same application")
            return units, arg, args[number + 1 :]
        else:
            raise UsageError(f'invalid unit or action name "{arg}"')
    raise UsageError("no action specified" if units else "no unit specified")


def _enqueue(
    session: Session, model: Model, units: list[str], name: str, params: dict[str, Any]
) -> tuple[int, list[Task], list[str]]:
    operation, tasks, problems = model.next_operation, [], []
    model.next_operation += 1
    for wanted in units:
        try:
            unit = model.unit(wanted)
            checked = actions.check_params(_action_of(model, unit, name), params)
        except JujuError as error:
            problems.append(str(error))
            continue
        task = Task(_next_id(model), unit.name, action=name, params=checked)
        session.controller.agent(model, unit).tasks.append(task)
        tasks.append(task)
    session.controller.changed(model)
    return operation, tasks, problems


def _action_of(model: Model, unit: Unit, name: str) -> actions.Action:
    found = model.applications[unit.application].charm.actions
    if name not in found:
        raise JujuError(f'action "{name}" not defined on unit "{unit.name}"')
    return found[name]


def _next_id(model: Model) -> str:
    model.next_operation += 1
    return str(model.next_operation - 1)


def _announce(session: Session, operation: int, tasks: list[Task]) -> None:
    plural = "" if len(tasks) == 1 else "s"
    lines = [f"Running operation {operation} with {len(tasks)} task{plural}"]
    lines += [f"  - task {task.id} on {names.tag_of(task.target)}" for task in tasks]
    session.info("\n".join(lines) + "\n")


def _results(session: Session, parsed: Parsed, tasks: list[Task], timeout: float) -> int:
    with session.controller.lock:
        for task in tasks if not parsed.on("quiet") else ():
            session.info(f"Waiting for task {task.id}...")
        finished = session.wait(lambda: all(task.done for task in tasks), timeout)
        reports = {task.target: task.report() for task in tasks}
    style = parsed.text("format", "plain")
    if not finished:
        session.error(f"ERROR timed out waiting for results from: {_waiting(tasks)}")
        return 1
    session.print(_plain(tasks) if style == "plain" else dump(reports, style))
    return _verdict(session, tasks)


def _waiting(tasks: list[Task]) -> str:
    return ", ".join(f"unit {task.target}" for task in tasks if not task.done)


def _verdict(session: Session, tasks: list[Task]) -> int:
    failed = [task for task in tasks if task.failed]
    if not failed:
        return 0
    plural = "" if len(failed) == 1 else "s"
    lines = [f"ERROR the following task{plural} failed:"]
    for task in failed:
        how = f"with return code {task.results.get('return-code', 0)}"
        if task.status != "completed":
            how = f"with error: {task.message}" if task.message else f"with status {task.status}"
        lines.append(f' - id "{task.id}" {how}')
    session.error("\n".join([*lines, "", "use 'juju show-task' to inspect the failure"]))
    return 1


def _plain(tasks: list[Task]) -> str:
    """The results as people read them: YAML of what the action set, then what it printed."""
    texts = []
    for task in tasks:
        set_by_charm = {k: v for k, v in task.results.items() if k not in _OWN_RESULTS}
        parts = [f"{task.message}\n"] if task.message else []
        parts += [yaml.safe_dump(set_by_charm, sort_keys=True)] if set_by_charm else []
        parts += [str(task.results[key]) for key in ("stdout", "stderr") if key in task.results]
        texts.append("\n".join(part.rstrip("\n") for part in parts))
    if len(tasks) == 1:
        return texts[0]
    return "\n\n".join(f"{task.target}:\n{text}" for task, text in zip(tasks, texts, strict=True))


_OWN_RESULTS = ("return-code", "stdout", "stderr")


def exec_(session: Session, parsed: Parsed) -> int:
    if not parsed.args:
        raise UsageError("no commands specified")
    command = parsed.args[0] if len(parsed.args) == 1 else shlex.join(parsed.args)
    timeout = wait_seconds(parsed.text("wait")) or _EXEC_SECONDS
    with session.controller.lock:
        model = session.model
        units, machines = _exec_targets(model, parsed)
        operation = model.next_operation
        model.next_operation += 1
        tasks = []
        for unit in units:
            task = Task(_next_id(model), unit.name, command=command)
            session.controller.agent(model, unit).tasks.append(task)
            tasks.append(task)
        for machine in machines:
            task = Task(_next_id(model), machine.id, command=command)
            if machine.host is None:
                raise JujuError(f"machine {machine.id} is not up yet")
            thread = threading.Thread(
                target=_on_machine, args=(session, machine.host, task), daemon=True
            )
            thread.start()
            tasks.append(task)
        session.controller.changed(model)
    if not tasks:
        raise JujuError("no units to run on")
    if parsed.on("background"):
        session.info(f"Running operation {operation} with {len(tasks)} task(s)")
        return 0
    return _exec_results(session, parsed, tasks, timeout)


def _exec_results(session: Session, parsed: Parsed, tasks: list[Task], timeout: float) -> int:
    with session.controller.lock:
        finished = session.wait(lambda: all(task.done for task in tasks), timeout)
    if not finished:
        session.error(f"ERROR timed out waiting for results from: {_waiting(tasks)}")
        return 1
    style = parsed.text("format", "plain")
    if style == "plain":
        session.print(_exec_plain(tasks), end="")
    else:
        session.print(dump({task.target: task.report() for task in tasks}, style))
    return _verdict(session, tasks)


def _exec_plain(tasks: list[Task]) -> str:
    texts = {
        task.target: "".join(str(task.results.get(key, "")) for key in ("stdout", "stderr"))
        for task in tasks
    }
    if len(texts) == 1:
        return next(iter(texts.values()))
    ordered = sorted(texts.items(), key=lambda item: names.natural(item[0]))
    return "".join(f"{target}:\n{text}\n" for target, text in ordered)


def _exec_targets(model: Model, parsed: Parsed) -> tuple[list[Unit], list[Machine]]:
    given = {name: _listed(parsed, name) for name in ("unit", "application", "machine")}
    if not any(given.values()) and not parsed.on("all"):
        raise UsageError(
            "You must specify a target, either through --all, --machine, --application or --unit"
        )
    wrong = [
        f'  "{n}" is not a valid unit name'
        for n in given["unit"]
        if not names.is_unit_or_leader(n)
    ]
    wrong += [
        f'  "{n}" is not a valid machine id' for n in given["machine"] if not names.is_machine(n)
    ]
    if wrong:
        raise UsageError("The following exec targets are not valid:\n" + "\n".join(wrong))
    units = [model.unit(name) for name in given["unit"]]
    for name in given["application"]:
        units += model.application(name).units.values()
    machines = [model.machine(number) for number in given["machine"]]
    return units, list(model.machines.values()) if parsed.on("all") else machines


def _listed(parsed: Parsed, name: str) -> list[str]:
    return [part for word in parsed.all(name) for part in word.split(",") if part]


def _on_machine(session: Session, host: MachineLike, task: Task) -> None:
    """A command on a machine itself runs as its user, outside any unit."""
    stdout: list[str] = []
    stderr: list[str] = []
    lock = session.controller.lock
    task.status, task.started = "running", now()
    env = {"PATH": MACHINE_PATH, "HOME": "/home/ubuntu", "USER": "ubuntu", "LANG": "C.UTF-8"}
    argv = ["/bin/bash", "-c", task.command]
    output = (stdout.append, stderr.append)
    try:
        process = runner.Run(host, argv, env, "/home/ubuntu", output, user="ubuntu")
        results, status, message = collect(process.wait(), stdout, stderr), "completed", ""
    except (OSError, subprocess.SubprocessError) as error:
        results, status, message = {}, "failed", str(error)
    with lock:
        task.results = results
        task.finish(status, message)
        lock.notify_all()


COMMANDS = (
    Command(
        "run", run, "Runs an action on units.",
        (_FORMAT, _WAIT, _BACKGROUND, _UTC, Flag("params"), Flag("string-args", "bool"),
         Flag("color", "bool"), Flag("no-color", "bool")),
    ),
    Command(
        "exec", exec_, "Runs a command on units or machines.",
        (_FORMAT, _WAIT, _BACKGROUND, _UTC, Flag("all", "bool"), Flag("parallel", "bool"),
         Flag("unit", "list", ("u",)), Flag("application", "list", ("app", "a")),
         Flag("machine", "list")),
        interspersed=True,
    ),
)  # fmt: skip
