import RecordBatch
import RecordJSON

/// Records to JSON lines in memory, with ipfixcol's reference options and with ISO 8601 times.
enum JSONBench {
  static func run() throws {
    let capture = try BenchCapture(records: 200_000)
    var options = RecordJSONOptions()
    options.formatsTCPFlags = true
    options.namesProtocols = false
    options.escapesNonPrintable = false
    measure("json, reference options", capture, options)
    options.timestamp = .iso8601
    options.namesProtocols = true
    measure("json, ISO 8601 and protocol names", capture, options)
  }

  private static func measure(_ name: String, _ capture: BenchCapture, _ options: RecordJSONOptions) {
    let writer = RecordJSONWriter(options: options)
    var bytes = 0
    Bench.measure(name, items: capture.recordCount) {
      bytes = 0
      for batch in capture.batches {
        var next = 0
        while next < batch.recordCount {
          next = writer.append(batch.raw, from: next, limit: 1 << 16)
          bytes += writer.bytes.count
          writer.removeAll()
        }
      }
    }
    print("  \(bytes / max(1, capture.recordCount)) bytes a record")
  }
}
