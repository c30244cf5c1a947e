"""The settings of a run: what there is, where they come from, and which are in effect."""
