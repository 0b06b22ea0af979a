import Engine
import EventModel
import Foundation
import InformationElements
import RecordBatch
import RecordEvents

/// Detections over decoded records in memory: columns taken out, and the engine behind them.
enum EPLBench {
  static func run() throws {
    let capture = try BenchCapture(records: 3_000_000)
    try measure("port scan, reference statement", capture, [("port-scan.epl", portScan)])
    let shipped = try ["http-attack.epl", "vertical-scan.epl"].map { name in
      (name, try String(contentsOfFile: "queries/\(name)", encoding: .utf8))
    }
    for module in shipped { try measure(module.0, capture, [module]) }
    try measure("shipped detections together", capture, shipped)
    try measure("shipped detections together, watermark", capture, shipped, clock: .watermark)
  }

  /// The reference's statement: flows of few packets by source and port, over minutes.
  private static let portScan = """
    @Name('Output')
    select ipfix.sourceAddress as attacker, ipfix.destinationTransportPort as destPort, count(*) as AtkCount
    from IPFIX(ipfix.packetDeltaCount < 10, ipfix.protocolIdentifier = 6).win:time_batch(1 min)
    group by ipfix.sourceAddress, ipfix.destinationTransportPort
    having count(*) > 16;
    """

  private static func measure(
    _ name: String, _ capture: BenchCapture, _ modules: [(String, String)], clock: EngineOptions.ClockMode = .compat
  ) throws {
    let schema = RecordSchema(
      elements: BenchCapture.elements.map {
        ElementRow(enterprise: $0.enterprise, element: $0.id, type: UInt16($0.type.rawValue), name: $0.name, aliases: [])
      })
    var options = EngineOptions()
    options.clock = clock
    func makeEngine() throws -> Engine {
      try Engine(modules: modules.map { EngineModule(name: $0.0, text: $0.1) }, predeclared: [schema.eventType], options: options)
    }
    let engine = try makeEngine()
    guard let input = engine.inputs.first(where: { $0.type === schema.eventType }) else { return }
    let extraction = Bench.median(items: capture.recordCount, rounds: 3) {
      let reader = RecordEventReader(type: input.type, schema: schema, needed: input.properties, deciding: input.decidingProperties)
      for batch in capture.batches { _ = reader.read(Batch(UnsafePointer(batch.raw)), choosing: engine.wanted) }
    }
    var rows = 0
    let all = try Bench.median(items: capture.recordCount, rounds: 3) {
      let engine = try makeEngine()
      rows = 0
      engine.onRows = { rows += $0.new.count }
      let reader = RecordEventReader(type: input.type, schema: schema, needed: input.properties, deciding: input.decidingProperties)
      for batch in capture.batches { engine.send(reader.read(Batch(UnsafePointer(batch.raw)), choosing: engine.wanted)) }
      engine.finish()
    }
    print(
      "\(name): \(Bench.rounded(all - extraction)) ns an event, and \(Bench.rounded(extraction)) for its \(input.properties.count) columns"
        + " (\(rows) rows, \(capture.recordCount) events)")
  }
}
