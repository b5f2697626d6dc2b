"""Runs a program with a pseudo-terminal as its controlling terminal: stdin is typed on it, and its output is copied to
stdout. SIGUSR1 stops reading its output, SIGUSR2 resumes. When this program ends, the terminal is closed."""
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
        break  # The last process on the terminal has closed it.
    if status is None:
        ended, code = os.waitpid(pid, os.WNOHANG)
        status = code if ended else None
    elif not ready:
        break
if status is None:
    _, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
