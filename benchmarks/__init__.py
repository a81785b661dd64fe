"""Measure what the charm's hooks and a first login cost, as ratios within one run."""
