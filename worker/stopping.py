"""Whether this worker is asked to stop: told by its main process, seen by all its children."""

import mmap

_flag = mmap.mmap(-1, 1)  # anonymous shared memory: made before the children are forked, one byte for all


def ask() -> None:
    _flag[0] = 1


def is_asked() -> bool:
    return _flag[0] == 1


def clear() -> None:
    _flag[0] = 0
