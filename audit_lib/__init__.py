"""The context audit workbench: finds, judges and shows lost contexts in Go code."""

__version__ = "0.1.0"
