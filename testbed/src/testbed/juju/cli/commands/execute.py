"""juju exec."""

from __future__ import annotations

import shlex
import subprocess
import threading

from testbed.juju.cli.commands.configure import dump
from testbed.juju.cli.commands.outcomes import new_task, scheduled, verdict, waiting
from testbed.juju.cli.commands.parsing import wait_seconds
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state import names
from testbed.juju.state.machine import Machine, MachineLike
from testbed.juju.state.model import Model, Unit
from testbed.juju.state.status import now
from testbed.juju.uniter import runner
from testbed.juju.uniter.tasks import Task, collect

_EXEC_SECONDS = 300.0
MACHINE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"


def exec_(invocation: Invocation, parsed: Parsed) -> int:
    if not parsed.args:
        raise UsageError("no commands specified")
    command = parsed.args[0] if len(parsed.args) == 1 else shlex.join(parsed.args)
    timeout = wait_seconds(parsed.text("wait")) or _EXEC_SECONDS
    with invocation.controller.lock:
        model = invocation.model
        units, machines = _exec_targets(model, parsed)
        operation = model.next_operation
        model.next_operation += 1
        tasks = []
        for unit in units:
            task = new_task(invocation, model, unit.name, command=command)
            invocation.controller.uniter(model, unit).tasks.append(task)
            tasks.append(task)
        for machine in machines:
            task = new_task(invocation, model, machine.id, command=command)
            if machine.host is None:
                raise JujuError(f"machine {machine.id} is not up yet")
            thread = threading.Thread(
                target=_on_machine, args=(invocation, machine.host, task), daemon=True
            )
            thread.start()
            tasks.append(task)
        invocation.controller.changed(model)
    if not tasks:
        raise JujuError("no units to run on")
    if parsed.on("background"):
        invocation.info(scheduled(operation, tasks))
        return 0
    return _exec_results(invocation, parsed, tasks, timeout)


def _exec_results(
    invocation: Invocation, parsed: Parsed, tasks: list[Task], timeout: float
) -> int:
    with invocation.controller.lock:
        finished = invocation.wait(lambda: all(task.done for task in tasks), timeout)
    if not finished:
        invocation.error(f"ERROR timed out waiting for results from: {waiting(tasks)}")
        return 1
    style = parsed.text("format", "plain")
    if style == "plain":
        invocation.print(_exec_plain(tasks), end="")
    else:
        invocation.print(dump({task.target: task.report() for task in tasks}, style))
    return verdict(invocation, tasks)


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
    if not any(given.values()):
        raise UsageError("You must specify a target, through --machine, --application or --unit")
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
    return units, [model.machine(number) for number in given["machine"]]


def _listed(parsed: Parsed, name: str) -> list[str]:
    return [part for word in parsed.all(name) for part in word.split(",") if part]


def _on_machine(invocation: Invocation, host: MachineLike, task: Task) -> None:
    """Run a command as the user of a machine, outside any unit."""
    stdout: list[str] = []
    stderr: list[str] = []
    lock = invocation.controller.lock
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
        "exec", exec_, "Runs a command on units or machines.",
        (Flag("format"), Flag("wait"), Flag("background", "bool"), Flag("unit", "list", ("u",)),
         Flag("application", "list", ("app", "a")), Flag("machine", "list")),
    ),
)  # fmt: skip
