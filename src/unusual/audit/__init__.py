"""Is this data set, or this experiment, sound."""
