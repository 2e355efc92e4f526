import subprocess
import sys
import threading

from loom_testing.harness.census import Census


def test_nothing_new():
    assert Census.taken().new(0) == []


def test_a_thread_that_goes_on_is_new_and_one_that_ends_is_not():
    before = Census.taken()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="worker", daemon=True)
    thread.start()
    assert before.new(0) == ["thread 'worker': end what it waits for, and join it"]
    assert Census.taken().new(0) == []
    timer = threading.Timer(0.02, stop.set)
    timer.start()
    assert before.new(5) == []  # it waits for those that are about to end
    thread.join()
    timer.join()


def test_the_threads_of_libraries_and_of_the_harness_are_theirs():
    before = Census.taken()
    stop = threading.Event()

    def of_grpc():
        stop.wait()

    of_grpc.__module__ = "grpc._channel"
    threads = [
        threading.Thread(target=of_grpc, daemon=True),
        threading.Thread(target=stop.wait, name="loom-beside-the-test", daemon=True),
    ]
    for thread in threads:
        thread.start()
    assert before.new(0) == []
    stop.set()
    for thread in threads:
        thread.join()


def test_a_process_is_named_by_what_it_runs():
    before = Census.taken()
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        (found,) = before.new(0)
        assert found.startswith(f"process {process.pid} (")
        assert "sys.stdin.read()" in found
        process.communicate()
    assert before.new(0) == []


def test_one_that_has_ended_but_was_not_waited_for_is_no_leak():
    before = Census.taken()
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout.read() == b""
    assert before.new(5) == []
    process.stdout.close()
    process.wait()


def test_a_thread_that_was_given_the_number_of_one_that_ended_is_new():
    for _ in range(1000):
        first, second = threading.Event(), threading.Event()
        ended = threading.Thread(target=first.wait, name="early")
        ended.start()
        before = Census.taken()
        first.set()
        ended.join()
        late = threading.Thread(target=second.wait, name="late")
        late.start()
        found = before.new(0)
        second.set()
        late.join()
        if late.ident == ended.ident:
            break
    assert late.ident == ended.ident
    assert found == ["thread 'late': end what it waits for, and join it"]
