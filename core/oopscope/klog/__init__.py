"""What the log's text says, parsed once: reports with all that their lines tell, how the log ends.

`parse.parse(records)` gives a Log: `lines`, `reports` in the order in which they begin, `boots`. A `report.Report` is
an oops, warning, lockup, stall, OOM, panic, KASAN report ...: its kind, title and own lines, `cpu`, `pid`, `comm`,
`who` (taint, kernel, hardware), `modules`, `registers`, `pc`, `code`, `fault_address`, `error_code`, `frames` and
`stacks`, each read from its lines when first asked for. `end.end_of(log)` says which of them the machine died of. The
wordings by which reports begin are data: `wordings`, `detail`, `trace`.
"""
