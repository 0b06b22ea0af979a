// Plugin Intermediate/Anonymize.
