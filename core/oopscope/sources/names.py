"""The names that kdump's tools give to a dump: a file that bears one was to be a dump, whatever it holds."""

from oopscope.lazy_re import lazy_re

# Of kdump, of makedumpfile's split sets, of Debian's kdump-tools; unfinished ones too, but not what lies beside them.
_NAMES = lazy_re(
    r"vmcore(?!.*(dmesg|\.txt|\.status|\.log|\.json|\.html|\.md5|\.sha))|dump\.\d{6,}$|dump-incomplete$|.+\.(kdump|vmcore)$"
)


def is_named_so(name: str) -> bool:
    """Tell whether a file's name is a dump's."""
    return _NAMES.match(name) is not None
