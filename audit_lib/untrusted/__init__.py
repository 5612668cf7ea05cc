"""The only ways to an untrusted target: its files, git, child processes that work on it, and its text in results."""
