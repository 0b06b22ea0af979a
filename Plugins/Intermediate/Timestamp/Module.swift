// Plugin Intermediate/Timestamp.
