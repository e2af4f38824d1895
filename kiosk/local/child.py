"""Become a program that the kernel ends together with its parent: ``python -I -S child.py SIGNAL PARENT NICE ARGV...``.

Set here, in a process of its own, because code between fork and exec is not safe in a parent that has threads.
"""

import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ask for the signal, give way to others, and become the program.

    Parameters
    ----------
    arguments
        The signal's number, the parent's process id, the niceness, and the program's argv.
    """
    signal, parent, nice, *program = arguments
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal))
    if os.getppid() != int(parent):
        sys.exit("the parent was gone before its child began")
    if int(nice):
        _give_way(int(nice))
    os.execvp(program[0], program)


def _give_way(nice: int) -> None:
    """Be nice to others; to all, where the kernel shares a machine out among sessions, and not among processes."""
    os.nice(nice)
    try:
        with open("/proc/self/autogroup", "w") as file:  # noqa: PTH123  # pathlib takes as long to import as all else
            file.write(str(nice))
    except OSError:
        pass  # this kernel has no such groups


if __name__ == "__main__":
    main(sys.argv[1:])
