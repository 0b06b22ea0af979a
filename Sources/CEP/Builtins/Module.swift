// Module Builtins.
