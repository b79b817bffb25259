r"""What a file job's pattern means: ``directory/regular expression``, with ``${name}`` in both parts. Pure.

The text up to the last slash is a literal folder; the rest must match a whole file name. Ikasan's patterns are Java's: named
groups ``(?<name>`` and quotations ``\Q...\E`` are translated, the rest of what people use is the same in Python. *Ours*: a
pattern that begins with ``glob:`` is one as shells have them. ``${name}`` is a parameter, or a date expression such as
``${today:yyyyMMdd}``.
"""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections.abc import Callable
from typing import Final

_GLOB: Final = "glob:"
_PARAMETER: Final = re.compile(r"\$\{([^}]*)\}")
_JAVA_GROUP: Final = re.compile(r"\(\?<(?=[A-Za-z])")
_JAVA_QUOTE: Final = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)

Value = Callable[[str], str]
"""The value of a parameter by its name."""


class FilePatternError(ValueError):
    """A name that is no regular expression; the message says why."""


def split(pattern: str) -> tuple[str, str]:
    """The folder (empty: none was written) and the regular expression, or ``glob:`` pattern, of a name."""
    glob = pattern.startswith(_GLOB)
    directory, slash, name = pattern.removeprefix(_GLOB).rpartition("/")
    return (directory or "/" if slash else "", f"{_GLOB}{name}" if glob and name else name)


def expression(name: str, value: Value) -> str:
    """The Python expression a file's whole name has to match; parameters stand for themselves, literally.

    Raises FilePatternError, and what ``value`` raises for a name it does not know.
    """
    if name.startswith(_GLOB):
        return fnmatch.translate(_PARAMETER.sub(lambda found: _literal(value(found[1])), name.removeprefix(_GLOB)))
    filled = _PARAMETER.sub(lambda found: re.escape(value(found[1])), name)
    text = _JAVA_GROUP.sub("(?P<", _JAVA_QUOTE.sub(lambda quoted: re.escape(quoted[1]), filled))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # sets that Python may read otherwise some day
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise FilePatternError(str(error)) from error
    return text


def _literal(text: str) -> str:
    """Text that stands for itself in a ``glob:`` pattern."""
    return re.sub(r"[*?[]", r"[\g<0>]", text)


def folder(directory: str, value: Value) -> str:
    """A folder with its parameters filled in."""
    return _PARAMETER.sub(lambda found: value(found[1]), directory)
