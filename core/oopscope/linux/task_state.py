"""A task's name and state in words: what ps(1) prints of it. Follows fs/proc/array.c for the letters."""

from oopscope.decode import decoded

EXIT_DEAD, EXIT_ZOMBIE = 16, 32  # since 3.14


TASK_NOLOAD = 0x400  # since 4.14


def called(pid: int | None, comm: str | None) -> str:
    """Return what to call a task in a sentence, of which name or PID may be missing."""
    if pid is None:
        return comm or "an unknown task"
    return f"{comm} (PID {pid})" if comm is not None else f"PID {pid}"


def decode_comm(raw: bytes) -> str:
    """Turn a task's name into text; bytes that are not UTF-8 become escapes."""
    return decoded(raw)


def state_letter(state: int, exit_state: int) -> str:
    """Return ps(1)'s letter for a task's state; `?` for a combination that none stands for."""
    if exit_state & EXIT_ZOMBIE:
        return "Z"
    if exit_state & EXIT_DEAD:
        return "X"
    if state == 0:
        return "R"
    if state & 2 and state & TASK_NOLOAD:
        return "I"
    for bit, letter in ((2, "D"), (1, "S"), (4, "T"), (8, "t"), (0x40, "P"), (0x80, "X"), (0x200, "R"), (0x800, "N")):
        if state & bit:
            return letter
    return "?"
