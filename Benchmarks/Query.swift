import Engine
import EventModel
import JSONLines
import RecordBatch
import RecordJSON

/// What `flowcep query` does with JSON lines: from lines in memory, as the collector writes them, to rows as JSON. The reading of the file and
/// the start of the program are left out.
enum QueryBench {
  private static let records = 500_000
  private static let linesPerBatch = 2048

  /// The reference's port scan over lines, with the watermark clock by the flows' ends.
  private static let portScan = """
    @Tag(name='timestamp', value='ipfix.flowEndMilliseconds')
    create schema IPFIX (ipfix.sourceIPv4Address string, ipfix.destinationIPv4Address string, ipfix.sourceTransportPort int,
      ipfix.destinationTransportPort int, ipfix.packetDeltaCount int, ipfix.octetDeltaCount int, ipfix.protocolIdentifier int,
      ipfix.flowStartMilliseconds long, ipfix.flowEndMilliseconds long, ipfix.HTTPRequestURL string);
    @Name('Output')
    select ipfix.sourceIPv4Address as attacker, ipfix.destinationTransportPort as destPort, count(*) as AtkCount
    from IPFIX.win:time_batch(1 min)
    where ipfix.packetDeltaCount < 10 and ipfix.protocolIdentifier = 6
    group by ipfix.sourceIPv4Address, ipfix.destinationTransportPort
    having count(*) > 16;
    """

  static func run() throws {
    let lines = try lines()
    let count = lines.count { $0 == 10 }
    var (rows, bad): (Int, UInt64) = (0, 0)
    let cost = try Bench.median(items: count, rounds: 5) { (rows, bad) = try query(lines) }
    print("query-port-scan: \(Bench.rounded(cost)) ns a line (\(count) lines of \(lines.count / max(1, count)) bytes)")
    print("  \(rows) rows, \(bad) bad lines")
  }

  private static func lines() throws -> [UInt8] {
    var options = RecordJSONOptions()
    options.formatsTCPFlags = true
    options.namesProtocols = false
    options.escapesNonPrintable = false
    let writer = RecordJSONWriter(options: options)
    var lines: [UInt8] = []
    for batch in try BenchCapture(records: records).batches {
      var next = 0
      while next < batch.recordCount {
        next = writer.append(batch.raw, from: next, limit: 1 << 16)
        lines += writer.bytes
        writer.removeAll()
      }
    }
    return lines
  }

  private static func query(_ lines: [UInt8]) throws -> (rows: Int, bad: UInt64) {
    let engine = try Engine(modules: [EngineModule(name: "port-scan.epl", text: portScan)])
    guard let input = engine.inputs.first else { return (0, 0) }
    var (rows, out): (Int, [UInt8]) = (0, [])
    let writer = RowWriter()
    engine.onRows = { given in
      rows += given.new.count
      for row in given.new { writer.write(row, type: "Output", time: given.time, to: &out) }
    }
    var reader = EventReader(type: input.type, properties: input.properties)
    lines.withUnsafeBufferPointer { bytes in
      var start = 0
      while let length = LineEnds.length(bytes, from: start) {
        reader.read(UnsafeBufferPointer(rebasing: bytes[start..<(start + length)]))
        start += length + 1
        if reader.count >= linesPerBatch, let batch = reader.takeBatch() { engine.send(batch) }
      }
    }
    if let batch = reader.takeBatch() { engine.send(batch) }
    engine.finish()
    return (rows, reader.badLines)
  }
}
