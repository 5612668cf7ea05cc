"""Measurements on real repositories: agreement with people (`parity`), time and memory (`bench`), a corpus (`corpus`).

None of this is part of the tool: it uses the tool from outside, through its command line, and its results are figures
for people, not tests.
"""
