import Foundation
import TestSupport
import Testing

/// The shipped configuration, ports and folder aside, fed over TCP by `flowcep send`.
@Suite(.serialized) struct ModelExampleTests {
  static func collector(_ folder: TemporaryFolder, _ logstash: AlertListener) throws -> Collector {
    let shipped = SharedFolder.repository.appendingPathComponent("config/startup.xml")
    var text = try String(contentsOf: shipped, encoding: .utf8)
    text = text.replacingOccurrences(of: "<localPort>4739</localPort>", with: "<localPort>0</localPort>")
      .replacingOccurrences(of: "../queries/", with: SharedFolder.repository.path + "/queries/")
      .replacingOccurrences(of: "$STATE/alerts/", with: "@FOLDER@/alerts/")
      .replacingOccurrences(of: "<port>12345</port>", with: "<port>\(logstash.port)</port>")
      // A debug build on a busy machine takes longer to drain than an operator would wait.
      .replacingOccurrences(of: "<stopTimeout>10 s</stopTimeout>", with: "<stopTimeout>120 s</stopTimeout>")
    return try Collector(text, folder: folder)
  }

  /// The alerts of a run over a capture, by detection.
  static func alerts(_ capture: String, send arguments: [String] = []) throws -> [String: [[String: Any]]] {
    let folder = try TemporaryFolder()
    let logstash = try AlertListener()
    let collector = try collector(folder, logstash)
    let port = try collector.port("tcp")
    let sent = try Program.run(["send", "-i", capture, "-d", "127.0.0.1", "-p", port, "-t", "TCP", "-n", "1"] + arguments, seconds: 240)
    #expect(sent.code == 0, "\(sent.error)")
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["output", "detect/shipped detections"]?.dropped == 0)
    #expect(ledger["output", "alerts/Logstash"]?.dropped == 0)
    return Dictionary(grouping: try collector.objects(inFiles: "alerts/alerts.")) { $0["type"] as? String ?? "" }
  }

  static func sources(_ alerts: [[String: Any]]?) -> Set<String> { Set((alerts ?? []).compactMap { $0["source"] as? String }) }

  static var reference: String { SharedFolder.url?.appendingPathComponent("data/http-attack.ipfix").path ?? "" }

  @Test(.enabled(if: SharedFolder.isPresent, "../shared is absent")) func onePass() throws {
    let alerts = try Self.alerts(Self.reference)
    #expect(Self.sources(alerts["MultiStageHTTP"]) == ["59.2.153.68"])
    #expect((1...4).contains(alerts["MultiStageHTTP"]?.count ?? 0))
    #expect(Self.sources(alerts["PortScan"]).count == 3)
    #expect(Self.sources(alerts["HTTPScan"]) == ["59.2.153.68"])
    #expect(Self.sources(alerts["BruteForce"]) == ["59.2.153.68"])
  }

  @Test(.enabled(if: SharedFolder.isPresent, "../shared is absent")) func tenTimesAsFast() throws {
    let alerts = try Self.alerts(Self.reference, send: ["-R", "10"])
    #expect(Self.sources(alerts["MultiStageHTTP"]) == ["59.2.153.68"])
    #expect((1...4).contains(alerts["MultiStageHTTP"]?.count ?? 0))
  }

  @Test(.enabled(if: SharedFolder.isPresent, "../shared is absent")) func threeShiftedLoops() throws {
    let alerts = try Self.alerts(Self.reference, send: ["-n", "3", "--shift"])
    #expect(Self.sources(alerts["MultiStageHTTP"]) == ["59.2.153.68"])
    #expect((3...12).contains(alerts["MultiStageHTTP"]?.count ?? 0))
  }

  /// The generator says who attacks; the detections must say the same, decoys notwithstanding.
  @Test func generatedCapture() throws {
    let folder = try TemporaryFolder()
    let (capture, truthFile) = (folder.path + "/capture.ipfix", folder.path + "/truth.json")
    let made = try Program.run(["generate", "-o", capture, "--seed", "11", "--truth", truthFile])
    #expect(made.code == 0, "\(made.error)")
    let truth = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: truthFile))) as? [String: Any]
    let attackers = Set((truth?["attacks"] as? [[String: Any]] ?? []).compactMap { $0["source"] as? String })
    #expect(attackers.count >= 2)
    #expect(attackers.contains { $0.contains(":") })
    let alerts = try Self.alerts(capture)
    #expect(Self.sources(alerts["MultiStageHTTP"]) == attackers)
    let alert = try #require(alerts["MultiStageHTTP"]?.first)
    #expect(alert["id"] as? String == "flowcep-multi-stage-http")
    #expect(alert["rule"] as? String == "MultiStageHTTP")
    #expect(alert["severity"] as? String == "high")
    #expect(alert["attack"] as? String == "T1595, T1110")
    #expect((alert["reference"] as? [String])?.count == 2)
    #expect(alert["falsePositives"] as? String == "a penetration test that nobody announced")
    #expect((alert["description"] as? String)?.contains("guessed passwords on") == true)
    #expect((alert["ruleDescription"] as? String)?.hasPrefix("One source scanned ports") == true)
  }
}
