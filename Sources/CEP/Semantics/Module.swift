// Module Semantics.
