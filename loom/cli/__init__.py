"""The `loom` command.

Layout:
    new.py dev.py run.py proto.py doctor.py call.py emit.py capabilities.py completion.py conformance.py
                   one command each

    group.py       the group: commands loaded when named, help, errors, exit codes
    exits.py       the exit codes and the errors that carry them
    console.py     how anything is said: data on stdout, talk on stderr, colour where it is welcome
    options.py     the options that several commands share, and the settings they become

    arguments.py   what a call or an event carries, read from the command line
    offers.py      what can be called now
    findings.py    what the doctor looks at
    discover.py    the agents of a file or module
    reloading.py   a command that is run again when its code changes

    watching.py    the run behind `loom dev`
    bridges.py     the bridges that it can start; fake.py the fake as its child
    processes.py   the processes that it starts, which lifeline.py ends with it
    view.py        what it prints; render.py the lines

Nothing here imports grpc or pydantic until a command needs it: `loom --help` answers at once.
"""

from __future__ import annotations

from loom.cli.group import Entry, LoomGroup

__all__ = ["main"]

main = LoomGroup(
    name="loom",
    entries=(
        Entry("new", "Build", "Make a project that runs and whose tests pass."),
        Entry("dev", "Build", "Start a bridge and watch what happens on it."),
        Entry("run", "Build", "Run the agents of a file or module."),
        Entry("call", "Talk", "Call a capability and print its answer."),
        Entry("emit", "Talk", "Publish one event."),
        Entry("capabilities", "Talk", "List what can be called now."),
        Entry("doctor", "Look after", "Say what is found here, and what to do."),
        Entry("conformance", "Look after", "Judge a bridge by the protocol's clauses."),
        Entry("proto", "Look after", "Regenerate, check or export the wire's .proto files."),
        Entry("completion", "Look after", "Print the shell's completion script."),
    ),
    about="""Event-driven multi-agent systems, and the tests that go with them.

    \b
    Five minutes from here:
      loom new hello      a project with one agent and two tests
      cd hello && pytest  both pass
      loom dev hello      its agents on a bridge, and everything they say
    """,
)
"""The console script."""
