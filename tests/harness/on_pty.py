"""Runs a program on a pseudo-terminal of its own, as its controlling terminal: stdin is what is typed, stdout what is
shown. SIGUSR1 makes a terminal that takes nothing any more, SIGUSR2 one that does again. When this ends, the terminal
is gone."""
import os
import pty
import select
import signal
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

reading = True


def set_reading(value):
    def handle(*_):
        global reading
        reading = value

    return handle


signal.signal(signal.SIGUSR1, set_reading(False))
signal.signal(signal.SIGUSR2, set_reading(True))
typing = True
status = None
while True:
    ready, _, _ = select.select([0] * typing + [terminal] * reading, [], [], 0.05)
    try:
        if 0 in ready:
            typed = os.read(0, 65536)
            typing = len(typed) > 0
            if typed:
                os.write(terminal, typed)
        if terminal in ready:
            shown = os.read(terminal, 65536)
            if not shown:
                break
            os.write(1, shown)
    except OSError:
        break  # The last who had the terminal has closed it.
    if status is None:
        ended, code = os.waitpid(pid, os.WNOHANG)
        status = code if ended else None
    elif not ready:
        break
if status is None:
    _, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
