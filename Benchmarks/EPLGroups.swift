import Engine
import EventModel
import IPFIX
import PluginABI
import RecordBatch
import RecordEvents

/// The port scan over records of many sources: how its cost grows with the number of groups that one window holds.
///
/// Every group comes as often as every other, in an order in which its turns lie as far apart as they can: no cache helps that real traffic
/// would not have. Records are made while no clock runs.
enum EPLGroupsBench {
  static let names = jobs.map(\.name)

  private static let jobs: [(name: String, groups: Int, turns: Int)] = [
    ("epl-groups-200k", 200_000, 15), ("epl-groups-2m", 2_000_000, 3), ("epl-groups-10m", 10_000_000, 2),
  ]
  private static let start: Int64 = 1_700_000_000_000
  private static let piece = 10_000

  /// Windows after the first one, in which the tables have their size: what a collector that runs for long has.
  private static let furtherWindows = 3

  static func run(_ name: String) throws {
    guard let job = jobs.first(where: { $0.name == name }) else { return }
    let maker = GroupedRecords(groups: job.groups)
    let count = job.groups * job.turns
    let engine = try Engine(
      modules: [EngineModule(name: "port-scan.epl", text: EPLBench.portScan)], predeclared: [EPLBench.schema.eventType],
      options: systemClock)
    guard let input = engine.inputs.first(where: { $0.type === EPLBench.schema.eventType }) else { return }
    let reader = RecordEventReader(
      type: input.type, schema: EPLBench.schema, needed: input.properties, deciding: input.decidingProperties, isTimed: false)
    engine.advance(to: start)
    let window = { (number: Int) in
      var spent = 0
      func measured(_ work: () -> Void) {
        let before = Bench.processNanoseconds()
        work()
        spent += Bench.processNanoseconds() - before
      }
      for first in stride(from: 0, to: count, by: piece) {
        let storage = maker.batch(first..<min(first + piece, count))
        measured { engine.send(reader.read(Batch(UnsafePointer(storage.raw)), choosing: engine.wanted)) }
      }
      engine.checkState(at: 0)
      let groups = engine.statementCounts[0].entries
      measured { engine.advance(to: start + Int64(number) * 60_000) }
      return (cost: Double(spent) / Double(count), groups: groups)
    }
    let first = window(1)
    let further = (1...furtherWindows).map { window(1 + $0).cost }.sorted()
    print("\(name): \(Bench.rounded(further[furtherWindows / 2])) ns an event, columns included (\(count) events)")
    print(
      "  \(first.groups) groups in one window, each \(job.turns) times; "
        + "in the first window, for which the system has to give memory: \(Bench.rounded(first.cost)) ns")
  }

  private static var systemClock: EngineOptions {
    var options = EngineOptions()
    options.clock = .system
    return options
  }
}

/// Record batches of small TCP flows.
private struct GroupedRecords {
  let groups: Int
  private let decoder = Decoder(registry: BenchCapture.registry)
  private let session = Session(copying: flowcep_session(), name: "groups")
  private static let fields: [(id: UInt16, length: UInt16)] = [(8, 4), (12, 4), (11, 2), (4, 1), (2, 8), (152, 8), (153, 8)]
  private static let perMessage = 40

  init(groups: Int) { self.groups = groups }

  func batch(_ range: Range<Int>) -> BatchStorage {
    var bytes: [UInt8] = []
    var packets: [flowcep_packet] = []
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.perMessage) {
      let offset = bytes.count
      write(start..<min(start + Self.perMessage, range.upperBound), to: &bytes)
      packets.append(
        flowcep_packet(session: session.raw, arrival_ns: 0, offset: UInt32(offset), length: UInt32(bytes.count - offset)))
    }
    let buffer = Buffer(capacity: bytes.count)
    bytes.withUnsafeBytes { buffer.bytes.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: bytes.count)
    packets.withUnsafeBufferPointer { decoder.decode($0, into: batch) }
    return batch
  }

  private func write(_ range: Range<Int>, to bytes: inout [UInt8]) {
    func add(_ value: Int, _ size: Int) {
      for byte in (0..<size).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }
    let recordLength = Self.fields.reduce(0) { $0 + Int($1.length) }
    let setLengths = [8 + 4 * Self.fields.count, 4 + recordLength * range.count]
    add(10, 2)
    add(16 + setLengths[0] + setLengths[1], 2)
    add(1_700_000_000, 4)
    add(range.lowerBound, 4)
    add(1, 4)
    for value in [2, setLengths[0], 256, Self.fields.count] { add(value, 2) }
    for field in Self.fields {
      add(Int(field.id), 2)
      add(Int(field.length), 2)
    }
    add(256, 2)
    add(setLengths[1], 2)
    for record in range {
      // A step that has no factor in common with the number of groups: all of them, before any comes again.
      let group = record % groups * 7_368_787 % groups
      let values = [group / 4 &* 0x9e37_79b1, record, 20 + group % 4, 6, 2, 0, 0]
      for (value, field) in zip(values, Self.fields) { add(value, Int(field.length)) }
    }
  }
}
