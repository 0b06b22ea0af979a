import Synthesis
import TestSupport
import Testing

/// The shipped detections' conditions, counted over every minute that begins at a record: attackers hold them with room to
/// spare, however the minutes fall; nobody else comes near.
@Suite struct DetectionMarginTests {
  /// The most different things that a key has within any minute.
  struct Peak {
    var events: [[String]: [(time: UInt64, item: [UInt8])]] = [:]
    mutating func add(_ key: [String], _ time: UInt64, _ item: [UInt8]) { events[key, default: []].append((time, item)) }

    func distinct(_ key: [String]) -> Int { most(key) { Set($0.map(\.item)).count } }
    func count(_ key: [String]) -> Int { most(key) { $0.count } }
    private func most(_ key: [String], _ measure: (ArraySlice<(time: UInt64, item: [UInt8])>) -> Int) -> Int {
      let sorted = (events[key] ?? []).sorted { $0.time < $1.time }
      var best = 0, end = 0
      for begin in sorted.indices {
        while end < sorted.count, sorted[end].time < sorted[begin].time + 60_000 { end += 1 }
        // A shorter run cannot hold more than what was found.
        if end - begin > best { best = max(best, measure(sorted[begin..<end])) }
      }
      return best
    }
    /// The value of each source's strongest key.
    func bySource(_ measure: (Peak, [String]) -> Int) -> [String: Int] {
      var result: [String: Int] = [:]
      for key in events.keys { result[key[0]] = max(result[key[0]] ?? 0, measure(self, key)) }
      return result
    }
  }

  func text(_ address: [UInt8]) -> String {
    if address.count == 4 { return address.map(String.init).joined(separator: ".") }
    // Only for comparing with the ground truth's attackers, whose addresses are 2001:db8:bad:n::66.
    return "2001:db8:bad:" + String(Int(address[6]) << 8 | Int(address[7]), radix: 16) + "::" + String(address[15], radix: 16)
  }

  func conditions(_ records: [ReadRecord]) -> (scan: Peak, vertical: Peak, http: Peak, brute: Peak) {
    var scan = Peak(), vertical = Peak(), http = Peak(), brute = Peak()
    for record in records {
      let source = text(record.source), port = String(record.number(11))
      let small = record.number(2) <= 3
      if record.number(4) == 6, small { scan.add([source, port], record.end, record.destination) }
      if record.values[7] != nil, record.number(7) > 1023, small {
        vertical.add([source, text(record.destination)], record.end, record.values[11] ?? [])
      }
      if !record.url.isEmpty { http.add([source, record.url], record.end, record.destination) }
      if record.url.contains("login") || record.url.contains("admin") || record.url.contains("auth") {
        brute.add([source, text(record.destination), record.url], record.end, [])
      }
    }
    return (scan, vertical, http, brute)
  }

  @Test(arguments: [(20_000, 1 as UInt64), (20_000, 7), (60_000, 3)])
  func attackersStandOutAndNobodyElse(records: Int, seed: UInt64) throws {
    let (bytes, truth, _) = try capture {
      $0.records = records; $0.seed = seed; $0.attacks = 3
    }
    let (scan, vertical, http, brute) = conditions(ReadBack(bytes).records)
    let found = (
      scan: scan.bySource { $0.distinct($1) }, vertical: vertical.bySource { $0.distinct($1) },
      http: http.bySource { $0.distinct($1) }, brute: brute.bySource { $0.count($1) }
    )
    let expected = Dictionary(uniqueKeysWithValues: truth.expected)
    for (source, value) in found.scan {
      #expect(expected["PortScan"]?.contains(source) == true ? value >= 100 : value <= 20, "\(source) scans \(value)")
    }
    for (source, value) in found.vertical { #expect(value <= 10, "\(source) scans \(value) ports of one host") }
    for (source, value) in found.http {
      #expect(expected["HTTPScan"]?.contains(source) == true ? value >= 25 : value <= 5, "\(source) asks \(value)")
    }
    for (source, value) in found.brute {
      #expect(expected["BruteForce"]?.contains(source) == true ? value >= 33 : value <= 10, "\(source) tries \(value)")
    }
    #expect(expected["MultiStageHTTP"]?.count == 3)
    #expect(truth.attacks.map(\.isIPv6) == [false, true, false])
    for attack in truth.attacks {
      #expect(attack.victims.map(\.tries.flows) == [33, 33, 33, 33])
      #expect(attack.portScan.firstSeen <= attack.httpScan.firstSeen)
      for victim in attack.victims { #expect(attack.httpScan.firstSeen <= victim.tries.firstSeen) }
    }
  }
}
