"""What the charm's hooks and a first login cost, as ratios in one run."""
