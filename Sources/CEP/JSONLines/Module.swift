// Module JSONLines.
