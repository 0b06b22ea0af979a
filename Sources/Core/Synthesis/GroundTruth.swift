/// What is in a synthetic capture: who attacked whom, when, and how much; and who did not.
public struct GroundTruth: Sendable {
  /// The flows of one stage. Times are flow ends in milliseconds since 1970.
  public struct Stage: Sendable {
    /// Different destinations, as text, in the order of their first flow.
    public private(set) var targets: [String] = []
    public private(set) var flows = 0
    public private(set) var firstSeen: UInt64 = 0
    public private(set) var lastSeen: UInt64 = 0
    private var known: Set<String> = []

    mutating func add(_ flow: Flow) {
      firstSeen = flows == 0 ? flow.end : min(firstSeen, flow.end)
      lastSeen = max(lastSeen, flow.end)
      flows += 1
      let target = flow.destination.text
      if known.insert(target).inserted { targets.append(target) }
    }
  }

  /// A host on which passwords were tried.
  public struct Victim: Sendable {
    public var address: String
    public var tries: Stage
  }

  /// One multi-stage attack.
  public struct Attack: Sendable {
    public var source: String
    public var isIPv6: Bool
    public var port: Int
    public var url: String
    public var portScan: Stage
    public var httpScan: Stage
    public var victims: [Victim]
  }

  /// Somebody who looks like an attacker and is none.
  public struct Decoy: Sendable {
    public var kind: String
    public var source: String
    /// The shipped detections that do name this source, rightly.
    public var meets: [String]
    public var flows: Stage
  }

  public var seed: UInt64
  /// The earliest flow end, in milliseconds since 1970.
  public var start: UInt64
  public var durationSeconds: Int
  public var records: Int
  public var attacks: [Attack]
  public var decoys: [Decoy]

  /// The sources that each shipped detection is to name, sorted.
  public var expected: [(detection: String, sources: [String])] {
    let attackers = attacks.map(\.source)
    return ["PortScan", "VerticalScan", "HTTPScan", "BruteForce", "MultiStageHTTP"].map { name in
      let alike = decoys.filter { $0.meets.contains(name) }.map(\.source)
      return (name, name == "VerticalScan" ? [] : (attackers + alike).sorted())
    }
  }
}

// As JSON, with the keys always in the same order.
extension GroundTruth {
  public var json: String {
    var lines = ["{"]
    lines.append("  \"seed\": \(seed), \"start\": \(start), \"durationSeconds\": \(durationSeconds), \"records\": \(records),")
    lines.append("  \"expected\": {")
    lines.append(expected.map { "    \(quote($0.detection)): \(list($0.sources))" }.joined(separator: ",\n"))
    lines.append("  },")
    lines.append("  \"attacks\": [" + attacks.map(json).joined(separator: ",") + (attacks.isEmpty ? "]," : "\n  ],"))
    lines.append("  \"decoys\": [" + decoys.map(json).joined(separator: ",") + "\n  ]")
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  private func json(_ attack: Attack) -> String {
    let victims = attack.victims.map {
      "\n        {\"address\": \(quote($0.address)), \"url\": \(quote(attack.url)), \"tries\": \($0.tries.flows), \(span($0.tries))}"
    }
    return "\n    {\"source\": \(quote(attack.source)), \"family\": \(attack.isIPv6 ? 6 : 4),"
      + "\n      \"portScan\": {\"port\": \(attack.port), \(counts(attack.portScan))},"
      + "\n      \"httpScan\": {\"url\": \(quote(attack.url)), \(counts(attack.httpScan))},"
      + "\n      \"bruteForce\": [" + victims.joined(separator: ",") + "\n      ]}"
  }

  private func json(_ decoy: Decoy) -> String {
    "\n    {\"kind\": \(quote(decoy.kind)), \"source\": \(quote(decoy.source)), \"meets\": \(list(decoy.meets)), \(counts(decoy.flows))}"
  }

  private func counts(_ stage: Stage) -> String { "\"targets\": \(stage.targets.count), \"flows\": \(stage.flows), \(span(stage))" }
  private func span(_ stage: Stage) -> String { "\"firstSeen\": \(stage.firstSeen), \"lastSeen\": \(stage.lastSeen)" }
  private func list(_ texts: [String]) -> String { "[" + texts.map(quote).joined(separator: ", ") + "]" }
  /// All texts here are our own and need no escapes.
  private func quote(_ text: String) -> String { "\"\(text)\"" }
}
