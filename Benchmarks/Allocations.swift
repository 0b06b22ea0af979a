import Allocations
import Engine
import EventModel
import IPFIX
import InformationElements
import PluginABI
import RecordBatch
import RecordEvents
import RecordJSON

/// What the data path takes from the heap: a batch has its own arrays and columns, a record has nothing. In steady state: what is counted
/// comes after a first pass over the same templates, keys and sizes. More than the bound is a failure.
enum AllocationsBench {
  private static let records = 200_000

  static func run() throws {
    guard flowcep_allocations() >= 0 else { return print("allocations: not counted under a sanitizer") }
    let capture = try BenchCapture(records: records)
    let writer = RecordJSONWriter(options: RecordJSONOptions())
    var bytes = 0
    try measure("decode to JSON", capture, atMost: 100) { batch in
      var next = 0
      while next < batch.recordCount {
        next = writer.append(batch.raw, from: next, limit: 1 << 16)
        bytes += writer.bytes.count
        writer.removeAll()
      }
    }
    let events = try Events()
    // Without the optimizer generic code boxes values: some four a record.
    try measure("decode to columns to engine", capture, atMost: _isDebugAssertConfiguration() ? 50_000 : 150) {
      events.take(Batch(UnsafePointer($0.raw)))
    }
    print("  \(bytes / 2 / capture.recordCount) bytes of JSON a record; \(events.rows) rows")
  }

  /// Two passes, the second one counted.
  ///
  /// - Parameter bound: allocations a batch, which has some 4,500 records.
  private static func measure(_ name: String, _ capture: BenchCapture, atMost bound: Int64, _ use: (BatchStorage) -> Void) throws {
    let decoder = Decoder(registry: BenchCapture.registry)
    let session = Session(copying: flowcep_session(), name: "capture")
    let pieces = capture.pieces.map { piece in
      var piece = piece
      for index in piece.packets.indices { piece.packets[index].session = UnsafePointer(session.raw) }
      return piece
    }
    func pass() {
      for piece in pieces {
        let batch = BatchStorage(
          kind: .records, buffer: piece.buffer, byteCount: piece.byteCount, recordCapacity: piece.byteCount / 40,
          messageCapacity: piece.packets.count)
        piece.packets.withUnsafeBufferPointer { decoder.decode($0, into: batch) }
        use(batch)
      }
    }
    pass()
    let before = flowcep_allocations()
    pass()
    let made = flowcep_allocations() - before
    let perBatch = made / Int64(pieces.count)
    print(
      "allocations, \(name): \(made) for \(capture.recordCount) records in \(pieces.count) batches; "
        + "\(perBatch) a batch, \(made / Int64(capture.recordCount)) a record")
    if perBatch > bound { throw BenchError("\(name): \(perBatch) allocations a batch, at most \(bound) are meant") }
  }

  /// A filter and a grouped count of few groups, as its own clock goes on: what the engine keeps does not grow.
  private final class Events {
    private let engine: Engine
    private let type: EventType
    private let reader: RecordEventReader
    private(set) var rows = 0
    private var now: Int64 = 1_700_000_000_000

    private static let text = """
      select ipfix.protocolIdentifier as proto, count(*) as flows, sum(ipfix.octetDeltaCount) as octets
      from IPFIX.win:time_batch(1 min) where ipfix.packetDeltaCount < 10 group by ipfix.protocolIdentifier;
      """

    init() throws {
      let schema = RecordSchema(
        elements: BenchCapture.elements.map {
          ElementRow(enterprise: $0.enterprise, element: $0.id, type: UInt16($0.type.rawValue), name: $0.name, aliases: [])
        })
      var options = EngineOptions()
      options.clock = .system
      engine = try Engine(modules: [EngineModule(name: "counts.epl", text: Self.text)], predeclared: [schema.eventType], options: options)
      guard let input = engine.inputs.first(where: { $0.type === schema.eventType }) else { throw BenchError("no input") }
      type = input.type
      reader = RecordEventReader(type: type, schema: schema, needed: input.properties, deciding: input.decidingProperties)
      engine.onRows = { [weak self] rows in self?.rows += rows.new.count }
    }

    func take(_ batch: Batch) {
      now += 1000
      engine.advance(to: now)
      engine.send(reader.read(batch, choosing: engine.wanted))
    }
  }
}
