import Foundation

/// What `flowcep status --json` says, taken apart. Its sums are checked here, not believed.
public struct StatusReport {
  public let root: [String: Any]

  /// Nil where the text is no JSON object.
  public init?(_ text: String) {
    guard let root = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { return nil }
    self.root = root
  }

  /// Asks a collector that runs.
  public init(ofProcess pid: Int32) throws {
    let answer = try Program.run(["status", "--json", "--pid", "\(pid)"])
    guard answer.code == 0, let report = StatusReport(answer.output) else {
      throw RunningProcess.Timeout(description: "flowcep status: exit code \(answer.code), \(answer.error)\(answer.output.suffix(1000))")
    }
    self = report
  }

  public var inputs: [[String: Any]] { root["inputs"] as? [[String: Any]] ?? [] }
  public var stages: [[String: Any]] { root["stages"] as? [[String: Any]] ?? [] }
  public var sessions: [[String: Any]] { inputs.flatMap { $0["sessions"] as? [[String: Any]] ?? [] } }
  public var recentlyEnded: [[String: Any]] { inputs.flatMap { $0["recentlyEnded"] as? [[String: Any]] ?? [] } }

  /// What does not add up, in words; empty where every message and record is accounted for.
  public var faults: [String] {
    inputs.flatMap(faults(ofInput:)) + stages.compactMap(fault(ofStage:)) + (root["closes"] as? Bool == true ? [] : ["it says so itself"])
  }

  private static let discarding = [
    "bad-version", "short-message", "bad-message-length", "bad-set-length", "bad-template", "bad-record", "too-many-domains",
  ]

  private func numbers(_ value: Any?) -> [String: Int] {
    guard let members = value as? [String: Any] else { return [:] }
    var numbers = members.compactMapValues { $0 as? Int }
    for (reason, amount) in amounts(members["undecodable"]) { numbers["undecodable." + reason] = amount }
    return numbers
  }

  private func amounts(_ value: Any?) -> [String: Int] { (value as? [String: Any])?.compactMapValues { $0 as? Int } ?? [:] }

  private func faults(ofInput input: [String: Any]) -> [String] {
    let name = input["name"] as? String ?? ""
    let total = numbers(input["total"])
    var faults: [String] = []
    // The sum of all sessions, those that have ended among them.
    let sessions = input["sessions"] as? [[String: Any]] ?? []
    let parts = sessions.map { numbers($0["counts"]) } + [numbers(input["otherSessions"]), numbers(input["endedSessions"])]
    let sum = parts.reduce(into: [String: Int]()) { $0.merge($1) { $0 + $1 } }
    for (key, value) in total where sum[key, default: 0] != value {
      faults.append("\(name): \(key): \(value), sessions say \(sum[key, default: 0])")
    }
    // Every message and every set that waited.
    for (whose, counts, waiting) in [(name, total, nil as Int?)]
      + sessions.map({ ($0["name"] as? String ?? "", numbers($0["counts"]), $0["waitingSets"] as? Int) })
    {
      let discarded = Self.discarding.reduce(0) { $0 + (counts["undecodable." + $1] ?? 0) }
      if counts["messages"] != (counts["messagesTaken"] ?? 0) + discarded { faults.append("\(whose): messages \(counts)") }
      let answered =
        (counts["setsLate"] ?? 0) + (counts["undecodable.unknown-template"] ?? 0) + (counts["undecodable.bad-waiting-set"] ?? 0)
      if let waiting, counts["setsWaited"] != answered + waiting { faults.append("\(whose): waiting sets \(counts), \(waiting) wait") }
    }
    return faults
  }

  private func fault(ofStage stage: [String: Any]) -> String? {
    let own = amounts(stage)
    let dropped = amounts(stage["dropped"]).values.reduce(0, +)
    let out = (own["delivered"] ?? 0) + (own["waiting"] ?? 0) + dropped
    return (own["received"] ?? 0) + (own["added"] ?? 0) == out ? nil : "\(stage["name"] ?? ""): \(stage)"
  }
}
