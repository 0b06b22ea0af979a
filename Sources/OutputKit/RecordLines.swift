public import RecordBatch
public import RecordJSON

extension RecordJSONWriter {
  /// Writes a batch piece by piece and hands each piece over, so that the lines are still in the processor's cache.
  ///
  /// - Parameter body: gets whole lines and where each of them ends.
  public func write(_ batch: Batch, pieces limit: Int = 1 << 16, _ body: (UnsafeRawBufferPointer, UnsafeBufferPointer<Int>) -> Void) {
    var next = 0
    while next < batch.recordCount {
      next = append(batch.raw, from: next, limit: limit)
      body(bytes, lineEnds)
      removeAll()
    }
  }
}
