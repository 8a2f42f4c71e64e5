"""The command line: one file a noun; a command imports what it needs when it runs."""
