// Module Execution.
