"""The harness: a bridge for tests, and the means to script it. The pytest plugin is one user of it.

Layout:
    kinds.py       which bridges there are to choose from
    host.py        a bridge that serves a whole test run; process.py: the fake, as a process beside it
    control.py     a client of its testing control; namespace.py: one test's namespace, for threads
    handle.py      what a test holds: `loom_bridge`; running.py: the agents it runs
    probe.py       the scripted agent; scripted.py: how it speaks with the bridge
    record.py      what a probe has received; expected.py: what it is asked to find there;
                   difference.py: how it says that it did not
    blocking.py    all of that for plain tests, without `await`
    errors.py      what can go wrong that is not the code under test
"""
