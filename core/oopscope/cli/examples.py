"""Two or three examples for the --help of each command, as people run them."""

from oopscope.commands.register import BY_WORD

OF: dict[str, tuple[tuple[str, str], ...]] = {
    "report": (
        ("oopscope report vmcore", "the verdict, then all the rest"),
        ("oopscope report vmcore --brief", "fifteen lines for a mail"),
        ("oopscope report vmcore --format html -o report.html", "one page for a ticket or a phone"),
        ("oopscope report vmcore --sections verdict,cpus --format markdown", "short, to paste into an issue"),
    ),
    "verdict": (
        ("oopscope verdict vmcore", "why it died, with the evidence, and what else was wrong"),
        ("oopscope verdict vmcore --format json", "the same for a script"),
    ),
    "show": (
        ("oopscope show --list", "which tables there are"),
        ("oopscope show tasks vmcore", "every thread, as ps shows it"),
        ("oopscope show slabs vmcore --format csv", "for a spreadsheet"),
    ),
    "log": (
        ("oopscope log vmcore", "the kernel log, times since boot"),
        ("oopscope log vmcore --grep 'oom|panic' --time utc", "what matches, times as the wall clock had them"),
        ("oopscope log vmcore -p err --since -30s", "errors and worse of the last half minute"),
    ),
    "bt": (
        ("oopscope bt vmcore", "the stack of the CPU that panicked"),
        ("oopscope bt vmcore --state D --group", "what blocked tasks wait for, each stack once"),
        ("oopscope bt vmcore 1 238 --format json", "the stacks of some threads, for a script"),
    ),
    "triage": (
        ("oopscope triage /var/crash", "one line of JSON for each dump of a folder"),
        ("oopscope triage --format text /var/crash", "by bug, the most frequent first"),
        ("oopscope triage --jobs 4 /srv/dumps > fleet.jsonl", "many dumps, four at a time"),
        ("oopscope triage /var/crash | jq -r .signature | sort | uniq -c", "which bug, how often"),
    ),
    "distill": (
        ("oopscope distill vmcore small.kdump", "a few MB that give the same report"),
        ("oopscope distill --force vmcore small.kdump", "the same, over an older one"),
    ),
    "serve": (
        ("oopscope serve vmcore", "prints the URL to open"),
        ("oopscope serve /var/crash --port 0", "a folder of dumps, on any free port"),
        ("ssh -L 8000:127.0.0.1:8000 HOST oopscope serve vmcore", "a dump on HOST, in the browser here"),
    ),
    "completion": (
        ('eval "$(oopscope completion bash)"', "in ~/.bashrc"),
        ("source <(oopscope completion zsh)", "in ~/.zshrc, after compinit"),
        ("oopscope completion fish > ~/.config/fish/completions/oopscope.fish", "once"),
        ("oopscope completion man > ~/.local/share/man/man1/oopscope.1", "the manual: man oopscope"),
    ),
    "schema": (
        ("oopscope schema", "of every command"),
        ("oopscope schema report", "of one"),
    ),
    "explain": (
        ("oopscope explain rcu", "what a word means, and what to look at next"),
        ("oopscope explain soft-lockup", "a cause of a verdict"),
        ("oopscope explain --search 'page cache'", "the terms whose texts hold these words"),
        ("oopscope explain --list", "the index"),
    ),
    "learn": (
        ("oopscope learn", "the first lesson that is not done"),
        ("oopscope learn --list", "the lessons, and how far each was done"),
        ("oopscope learn --print 2", "a lesson as a text, answers and all"),
    ),
    "doctor": (
        ("oopscope doctor", "would kdump work on this host"),
        ("oopscope doctor vmcore", "the same questions of the machine of a dump"),
    ),
    "demo": (
        ("oopscope demo", "a real dump on the screen"),
        ("oopscope demo --list", "which dumps ship with oopscope"),
    ),
}


def examples_of(name: str) -> tuple[tuple[str, str], ...]:
    """Return a command's examples: those of the table, else those of the register."""
    if name in OF or name not in BY_WORD:
        return OF.get(name, ())
    return tuple((f"oopscope {name} vmcore {after}".rstrip(), what) for after, what in BY_WORD[name].examples)


def epilog(name: str) -> str | None:
    """Return a command's examples as its help shows them."""
    found = examples_of(name)
    return "examples:\n" + "".join(f"  {line}\n      {what}\n" for line, what in found) if found else None
