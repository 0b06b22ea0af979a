// Module Syntax.
