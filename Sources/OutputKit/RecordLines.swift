public import RecordBatch
public import RecordJSON

extension RecordJSONWriter {
  /// A quarter of a MiB: the kernel takes pieces of that size into a file, or cut into datagrams, at a tenth less than those of 64 KiB.
  public static var pieceBytes: Int { 1 << 18 }

  /// Writes a batch piece by piece and hands each piece over, so that the lines are still in the processor's cache.
  ///
  /// - Parameter body: gets whole lines and where each of them ends.
  public func write(_ batch: Batch, pieces limit: Int = pieceBytes, _ body: (UnsafeRawBufferPointer, UnsafeBufferPointer<Int>) -> Void) {
    var next = 0
    while next < batch.recordCount {
      next = append(batch.raw, from: next, limit: limit)
      body(bytes, lineEnds)
      removeAll()
    }
  }
}
