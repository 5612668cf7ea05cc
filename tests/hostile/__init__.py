"""Targets that want to harm who looks at them: nothing of theirs runs, and nothing outside is read or written."""
