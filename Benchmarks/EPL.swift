import Engine
import EventModel
import Foundation
import InformationElements
import PluginABI
import RecordBatch
import RecordEvents

/// The engine alone: from record batches in memory to result rows, the taking of columns included. The clock is told the time of each batch's
/// export; where the name says watermark, events are held and put in order besides.
enum EPLBench {
  static let names = jobs.map(\.name)

  private struct Job {
    var name: String
    var modules: [(name: String, text: String)]
    var clock = EngineOptions.ClockMode.system
    /// What rows are grouped by, to be counted: no figure may lean on there being few of them.
    var keys: [String]
    var records = 3_000_000
  }

  private static let jobs: [Job] =
    [
      Job(
        name: "epl-port-scan", modules: [("port-scan.epl", portScan)],
        keys: ["ipfix.sourceAddress", "ipfix.destinationTransportPort"]),
      Job(
        name: "epl-brute-force", modules: [("brute-force.epl", bruteForce(isLogin))],
        keys: ["ipfix.sourceAddress", "ipfix.destinationAddress", "ipfix.HTTPRequestURL"]),
      // The same of all requests: a third of the capture comes into the window.
      Job(
        name: "epl-sliding-groups", modules: [("sliding.epl", bruteForce("ipfix.HTTPRequestURL not like ''"))],
        keys: ["ipfix.sourceAddress", "ipfix.destinationAddress", "ipfix.HTTPRequestURL"]),
      Job(name: "epl-multi-stage", modules: [("multi-stage.epl", multiStage)], keys: ["ipfix.sourceAddress"]),
      Job(name: "epl-followed-by", modules: [("followed-by.epl", followedBy)], keys: ["ipfix.sourceAddress"]),
      Job(name: "epl-shipped", modules: shipped, keys: ["ipfix.sourceAddress"]),
      Job(name: "epl-shipped-watermark", modules: shipped, clock: .watermark, keys: ["ipfix.sourceAddress"]),
    ]
    + EPLTypical.modules.map {
      Job(name: "epl-typical-\($0.name)", modules: [("typical.epl", $0.text)], keys: ["ipfix.sourceAddress"], records: 200_000)
    }
    + [1, 10, 100, 1000].map {
      Job(name: "epl-statements-\($0)", modules: [("statements.epl", statements($0))], keys: ["ipfix.destinationTransportPort"])
    }

  private static var shipped: [(name: String, text: String)] {
    ["http-attack.epl", "vertical-scan.epl"].map { ($0, (try? String(contentsOfFile: "queries/\($0)", encoding: .utf8)) ?? "") }
  }

  // The reference's statements, in their own form: WHERE stands behind the window.

  static let portScan = """
    @Name('Output')
    select ipfix.sourceAddress as attacker, ipfix.destinationTransportPort as destPort, count(*) as AtkCount
    from IPFIX.win:time_batch(1 min)
    where ipfix.packetDeltaCount < 10 and ipfix.protocolIdentifier = 6
    group by ipfix.sourceAddress, ipfix.destinationTransportPort
    having count(*) > 16;
    """

  private static let isLogin = """
    (ipfix.HTTPRequestURL like '%login%' or ipfix.HTTPRequestURL like '%admin%' or ipfix.HTTPRequestURL like '%auth%')
    """

  private static func bruteForce(_ condition: String) -> String {
    """
    @Name('Output')
    select ipfix.sourceAddress as Attacker, ipfix.destinationAddress as Destination, ipfix.ipVersion as Version,
      ipfix.HTTPRequestURL as URL, count(*) as AtkCount
    from IPFIX.win:time(1 min)
    where \(condition)
    group by ipfix.sourceAddress, ipfix.destinationAddress, ipfix.HTTPRequestURL
    having count(*) > 16;
    """
  }

  private static let multiStage = """
    @Name('TCPSYNscan')
    insert into TCPSYNscan
    select ipfix.sourceAddress as Attacker, ipfix.destinationTransportPort as destPort, count(*) as AtkCount
    from IPFIX.win:time_batch(1 min) where ipfix.packetDeltaCount < 10
    group by ipfix.sourceAddress, ipfix.destinationTransportPort having count(*) > 16;
    @Name('HTTPscanUniques')
    insert into Uniques
    select ipfix.sourceAddress as s, ipfix.HTTPRequestURL as u, ipfix.destinationAddress as d, count(*) as c
    from IPFIX.win:time_batch(1 min) where ipfix.HTTPRequestURL not like ""
    group by ipfix.sourceAddress, ipfix.HTTPRequestURL, ipfix.destinationAddress having count(*) < 3;
    @Name('HTTPscan')
    insert into HTTPscan
    select s as Scanner, u as URL, count(*) as AtkCount
    from Uniques.win:time_batch(2 min) group by s, u having count(*) > 16;
    @Name('BruteForce')
    insert into BruteForce
    select ipfix.sourceAddress as Attacker, ipfix.destinationAddress as Destination, ipfix.ipVersion as Version,
      ipfix.HTTPRequestURL as URL, count(*) as AtkCount
    from IPFIX.win:time_batch(1 min)
    where \(isLogin)
    group by ipfix.sourceAddress, ipfix.destinationAddress, ipfix.HTTPRequestURL
    having count(*) > 16;
    @Name('Output')
    insert into DetectionResults
    select t.Attacker as Attacker, max(t.AtkCount) as TCPSYNscanCount, max(h.AtkCount) as HTTPscanCount,
      max(b.AtkCount) as BruteForceCount
    from TCPSYNscan.win:time_batch(5 min) as t, HTTPscan.win:time_batch(5 min) as h, BruteForce.win:time_batch(5 min) as b
    where t.Attacker = h.Scanner and h.Scanner = b.Attacker
    group by t.Attacker;
    """

  /// A small TCP flow, and within ten seconds a request for a login page by the same source.
  private static let followedBy = """
    @Name('Output')
    select a.ipfix.sourceAddress as Attacker, b.ipfix.HTTPRequestURL as URL
    from pattern [every a = IPFIX(ipfix.protocolIdentifier = 6, ipfix.packetDeltaCount < 4)
      -> b = IPFIX(ipfix.HTTPRequestURL like '%login%', ipfix.sourceAddress = a.ipfix.sourceAddress) where timer:within(10 sec)];
    """

  /// Many statements with selective filters: a port, an address, a list, a range, most with a condition besides; some grouped.
  private static func statements(_ count: Int) -> String {
    (0..<count).map { number in
      let source = "select ipfix.sourceAddress as s, ipfix.destinationTransportPort as p from IPFIX"
      let port = 32_768 + number * 28
      return switch number % 5 {
      case 0: "\(source)(ipfix.destinationTransportPort = \(port), ipfix.protocolIdentifier = 6);"
      case 1: "\(source)(ipfix.sourceAddress = '100.64.\(number / 250).\(number % 250)');"
      case 2: "\(source)(ipfix.destinationTransportPort in (\(port), \(port + 1), \(port + 2)), ipfix.packetDeltaCount > 2);"
      case 3: "\(source)(ipfix.destinationTransportPort in [\(port):\(port + 3)], ipfix.octetDeltaCount > 100);"
      default:
        """
        select ipfix.sourceAddress as s, count(*) as c from IPFIX(ipfix.sourceTransportPort = \(port)).win:time_batch(1 min)
        group by ipfix.sourceAddress having count(*) > 3;
        """
      }
    }.joined(separator: "\n")
  }

  static let schema = RecordSchema(
    elements: BenchCapture.elements.map {
      ElementRow(enterprise: $0.enterprise, element: $0.id, type: UInt16($0.type.rawValue), name: $0.name, aliases: [])
    })

  static func run(_ name: String) throws {
    guard let job = jobs.first(where: { $0.name == name }) else { return }
    let capture = try BenchCapture.shared(records: job.records)
    var options = EngineOptions()
    options.clock = job.clock
    options.keepsCurrentRows = false
    var rows: [String: Int] = [:]
    let cost = try Bench.median(items: capture.recordCount, rounds: 3) {
      let engine = try Engine(
        modules: job.modules.map { EngineModule(name: $0.name, text: $0.text) }, predeclared: [schema.eventType], options: options)
      guard let input = engine.inputs.first(where: { $0.type === schema.eventType }) else { return }
      rows = [:]
      engine.onRows = { rows[$0.statement.name, default: 0] += $0.new.count }
      let reader = RecordEventReader(
        type: input.type, schema: schema, needed: input.properties, deciding: input.decidingProperties, isTimed: job.clock != .system)
      for storage in capture.batches {
        let batch = Batch(UnsafePointer(storage.raw))
        if job.clock == .system, let message = batch.messages.last { engine.advance(to: Int64(message.export_time) * 1000) }
        engine.send(reader.read(batch, choosing: engine.wanted))
      }
      engine.finish()
    }
    print("\(name): \(Bench.rounded(cost)) ns an event, columns included (\(capture.recordCount) events)")
    let given = rows.sorted { $0.key < $1.key }
    let each = given.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print("  rows: \(given.count > 9 ? "\(given.reduce(0) { $0 + $1.value }) of \(given.count) statements" : each)")
    print("  \(distinct(job.keys, capture)) distinct \(job.keys.joined(separator: ", ")) in the capture")
  }

  /// How many combinations of the properties' values there are.
  private static func distinct(_ keys: [String], _ capture: BenchCapture) -> Int {
    let needed = keys.compactMap { schema.eventType.index(of: $0) }.sorted()
    let reader = RecordEventReader(type: schema.eventType, schema: schema, needed: needed)
    var seen = Set<[Value]>()
    for batch in capture.batches {
      let events = reader.read(Batch(UnsafePointer(batch.raw)))
      for row in 0..<events.count { seen.insert(events.columns.map { $0[row] }) }
    }
    return seen.count
  }
}
