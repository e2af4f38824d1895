"""Become a program that the kernel ends together with its parent: ``python -I -S child.py SIGNAL PARENT PROGRAM ...``.

Set here, in a process of its own, because code between fork and exec is not safe in a parent that has threads.
"""

import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ask for the signal and become the program.

    Parameters
    ----------
    arguments
        The signal's number, the parent's process id, and the program's argv.
    """
    signal, parent, *program = arguments
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal))
    if os.getppid() != int(parent):
        sys.exit("the parent was gone before its child began")
    os.execvp(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
