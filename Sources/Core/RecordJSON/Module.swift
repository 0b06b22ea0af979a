// Module RecordJSON.
