// Plugin Input/File.
