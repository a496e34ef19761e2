"""Completion scripts for bash, zsh and fish, made from what the parsers take."""

import shlex
from collections.abc import Iterator

from oopscope.cli.spec import Option, Spec, Value

BASH_HEAD = """\
# bash completion for oopscope: eval "$(oopscope completion bash)"
_oopscope() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local words= options= valued= files= place=0 word i
    COMPREPLY=()
    if [[ $cur == = ]]; then cur=
    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    [[ COMP_CWORD -gt 1 && " NAMES " == *" $command "* ]] || command=
    case $command in
"""
BASH_TAIL = """\
    esac
    for word in $words; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
    if [[ $files && $words ]] || { [[ $files ]] && ! compopt -o default 2>/dev/null; }; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
    fi
}
complete -F _oopscope oopscope
"""
# The place of the word: how many stand before it that are neither options nor their values.
BASH_PLACE = """\
        for (( i = 2; i < COMP_CWORD; i++ )); do
            [[ ${COMP_WORDS[i]} == -* || " $valued " == *" ${COMP_WORDS[i-1]} "* ]] || (( place++ ))
        done
"""


def bash(found: list[Spec]) -> str:
    """Return the script for bash, 3.2 and later."""
    head = BASH_HEAD.replace("NAMES", " ".join(spec.name for spec in found if spec.name))
    return head + "".join(_bash_case(spec, found) for spec in found) + BASH_TAIL


def _bash_case(spec: Spec, found: list[Spec]) -> str:
    names = [name for option in spec.options for name in option.names]
    valued = [name for option in spec.options if option.value for name in option.names]
    lines = [f"    {spec.name or '*'})"] if spec.name else ["    '')"]
    lines.append(f"        options={_quoted(names)} valued={_quoted(valued)}")
    lines += BASH_PLACE.splitlines() if len(spec.places) > 1 and any(p.words for p in spec.places) else []
    lines.append("        case $prev in")
    for option in (o for o in spec.options if o.value):
        lines.append(f"        {'|'.join(option.names)}) {_bash_value(option.value)} ;;")
    lines.append("        *)")
    lines.append("            if [[ $cur == -* ]]; then words=$options")
    if not spec.name:
        lines.append(f"            else words={_quoted([s.name for s in found if s.name])} files=1")
        lines.append("                (( COMP_CWORD > 1 )) && words=")
    places = spec.places if any(p.words for p in spec.places) else spec.places[-1:]
    for i, place in enumerate(places if spec.name else ()):
        last = i == len(places) - 1
        lines.append(f"            {'else' if last else f'elif (( place == {i} )); then'} {_bash_value(place)}")
    lines += ["            fi ;;", "        esac ;;"]
    return "\n".join(lines) + "\n"


def _bash_value(value: Value | None) -> str:
    if value is None:
        return ":"
    return f"words={_quoted(value.words)}" if value.words else "files=1" if value.files else ":"


def _quoted(words: list[str] | tuple[str, ...]) -> str:
    return shlex.quote(" ".join(words))


def zsh(found: list[Spec]) -> str:
    """Return the script for zsh; it may be sourced, or stand in $fpath as _oopscope."""
    commands = "\n".join(f"    {shlex.quote(f'{s.name}:{s.help}')}" for s in found if s.name)
    cases = "".join(f"    {s.name})\n      _arguments -s \\\n{_zsh_arguments(s)} ;;\n" for s in found if s.name)
    return (
        "#compdef oopscope\n# zsh completion for oopscope: source <(oopscope completion zsh)\n_oopscope() {\n"
        f"  local -a commands\n  commands=(\n{commands}\n  )\n"
        "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
        "    _describe -t commands command commands\n    _files\n    return\n  fi\n"
        "  if (( ${commands[(I)$words[2]:*]} )); then\n    local command=$words[2]\n    shift words\n"
        f"    (( CURRENT-- ))\n    case $command in\n{cases}    esac\n  else\n"
        f"    _arguments -s \\\n{_zsh_arguments(found[0])}\n  fi\n}}\n"
        'if [[ $funcstack[1] == _oopscope ]]; then _oopscope "$@"; else compdef _oopscope oopscope; fi\n'
    )


def _zsh_arguments(spec: Spec) -> str:
    words = [word for option in spec.options for word in _zsh_option(option)]
    for i, place in enumerate(spec.places):
        where = "*" if i == len(spec.places) - 1 else str(i + 1)
        words.append(f"{where}:{_zsh_text(place.name)}:{_zsh_value(place)}")
    return " \\\n".join(f"        {shlex.quote(word)}" for word in words)


def _zsh_option(option: Option) -> Iterator[str]:
    others = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
    for name in option.names:
        value = f":{_zsh_text(option.value.name)}:{_zsh_value(option.value)}" if option.value else ""
        joined = "=" if value and name.startswith("--") else ""
        yield f"{others}{name}{joined}[{_zsh_text(option.help)}]{value}"


def _zsh_text(text: str) -> str:
    for char in "\\[]:":
        text = text.replace(char, "\\" + char)
    return text


def _zsh_value(value: Value) -> str:
    return f"({' '.join(value.words)})" if value.words else "_files" if value.files else " "


def fish(found: list[Spec]) -> str:
    """Return the script for fish."""
    lines = ["# fish completion for oopscope: oopscope completion fish | source"]
    for spec in found:
        seen = f"__fish_seen_subcommand_from {spec.name}" if spec.name else "__fish_use_subcommand"
        head = f"complete -c oopscope -n {_fish(seen)}"
        if spec.name:
            lines.append(f"complete -c oopscope -n __fish_use_subcommand -a {spec.name} -d {_fish(spec.help)}")
        for option in spec.options:
            names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
            lines.append(f"{head} {names} -d {_fish(option.help)}{_fish_value(option.value)}")
        if spec.places and all(place.words for place in spec.places):
            lines.append(f"{head} -f")
        for place in spec.places:
            lines += [f"{head} -a {_fish(' '.join(place.words))} -d {_fish(place.name)}"] if place.words else []
    return "\n".join(lines) + "\n"


def _fish_value(value: Value | None) -> str:
    if value is None:
        return ""
    return f" -x -a {_fish(' '.join(value.words))}" if value.words else " -r" if value.files else " -x"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
