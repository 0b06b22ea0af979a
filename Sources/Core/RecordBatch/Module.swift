// Module RecordBatch.
