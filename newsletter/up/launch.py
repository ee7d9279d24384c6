"""Become another program, as another user if asked, that does not outlive its parent.

Run as a file by path, with nothing but the standard library: `launch.py PARENT SIGNAL USER:GROUP|- PROGRAM …`.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, signal, user, *command = sys.argv[1:]
    if user != "-":
        become(*(int(number) for number in user.split(":")))
    if sys.platform == "linux" and int(signal):  # for the others there is the last watch
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
        if os.getppid() != int(parent):  # it died before we asked to be told
            sys.exit(1)
    try:
        os.execv(command[0], command)  # noqa: S606  # becoming the program is the point
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error.strerror}")


def become(user: int, group: int) -> None:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


if __name__ == "__main__":
    main()
