// Plugin Input/TCP.
