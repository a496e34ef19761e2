"""Many dumps: finding them in folders, what each says in brief, triage."""
