// Plugin Input/UDP.
