"""What stands before a command so that its process is as its job wishes: another user, patience, umask, limits.

Programs that put one thing right and then become the next one; none stays, so pids, groups and signals are as without them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Collection
from typing import Final

from agent_node.folders import RunFolder
from schemas.processes import ProcessWish

_UMASK: Final = ("/bin/sh", "-c", 'umask "$0"; exec "$@"')


class LauncherError(Exception):
    """A process cannot be as its job wishes; the message says why and what to do."""


def user_of(wish: ProcessWish, allowed: Collection[str]) -> pwd.struct_passwd | None:
    """The other user a process is to run as; None: the agent's own. Raises LauncherError."""
    if not wish.run_as:
        return None
    if wish.run_as not in allowed:
        raise LauncherError(f"user '{wish.run_as}' is not among those in this agent's setting run-as")
    try:
        user = pwd.getpwnam(wish.run_as)
    except KeyError:
        raise LauncherError(f"user '{wish.run_as}' is not known on this host") from None
    if user.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise LauncherError(f"only an agent that runs as root can run jobs as '{wish.run_as}'")
    return user


def prefix(wish: ProcessWish, user: pwd.struct_passwd | None, path: str | None) -> tuple[str, ...]:
    """The words in front of the command. Raises LauncherError."""
    for key, fault in wish.faults():
        raise LauncherError(f"process.{key}: {fault}")
    words: list[str] = []
    if wish.nice:
        words += [_program("nice", path), "-n", str(wish.nice)]
    if wish.limits:
        words += [_program("prlimit", path), *(f"--{name}={value}" for name, value in wish.limits.items())]
    if user is not None:
        words += [_program("setpriv", path), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--"]
    if wish.umask:
        words += [*_UMASK, wish.umask]
    return tuple(words)


def identity(user: pwd.struct_passwd | None) -> dict[str, str]:
    """The variables that say who somebody is."""
    if user is None:
        return {}
    return {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}


def hand_over(folder: RunFolder, script: str, user: pwd.struct_passwd | None) -> None:
    """Let another user have its script and its output. Raises LauncherError when a folder above is closed to them."""
    if user is None:
        return
    folder.hand_over(script, user.pw_uid, user.pw_gid)
    for above in folder.path.parents:
        status = above.stat()
        if not status.st_mode & stat.S_IXOTH and status.st_uid != user.pw_uid:
            raise LauncherError(f"'{user.pw_name}' may not enter {above}, where scripts and output are: chmod o+x it")


def _program(name: str, path: str | None) -> str:
    found = shutil.which(name, path=path)
    if found is None:
        raise LauncherError(f"'{name}' is not installed on this host, or not in the agent's PATH")
    return found
