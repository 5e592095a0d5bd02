"""The command line: one module a command, each of them light until its command runs."""
