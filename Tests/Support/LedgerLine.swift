import Foundation

/// The collector's last line, taken apart: what became of every record.
public struct LedgerLine: Sendable {
  public struct Account: Sendable {
    /// `received`, `delivered`, `added`, `dropped.<reason>`, `lost.<reason>`.
    public var numbers: [String: Int]

    public var received: Int { numbers["received"] ?? 0 }
    public var delivered: Int { numbers["delivered"] ?? 0 }
    public var dropped: Int { numbers.filter { $0.key.hasPrefix("dropped.") }.values.reduce(0, +) }
    public func dropped(_ reason: String) -> Int { numbers["dropped.\(reason)"] ?? 0 }
    public func lost(_ reason: String) -> Int { numbers["lost.\(reason)"] ?? 0 }

    /// received (and added) = delivered + each drop; of an input also messages = taken + each reason to discard one, and sets that
    /// waited for their template = decoded late + given up.
    public var closes: Bool {
      let discarding = [
        "bad-version", "short-message", "bad-message-length", "bad-set-length", "bad-template", "bad-record", "too-many-domains",
      ]
      let messages = (numbers["messages-taken"] ?? 0) + discarding.reduce(0) { $0 + lost($1) }
      let sets = (numbers["sets-late"] ?? 0) + lost("unknown-template") + lost("bad-waiting-set")
      return received + (numbers["added"] ?? 0) == delivered + dropped
        && numbers["messages"] ?? 0 == messages && numbers["sets-waited"] ?? 0 == sets
    }
  }

  /// By stage and name: `input "tcp"`.
  public var accounts: [String: Account] = [:]
  public var received = 0
  private var saysClosed = false

  /// From the last line of a collector's standard error; nil where that is no ledger.
  public init?(standardError: String) {
    guard let line = standardError.split(separator: "\n").last, let start = line.range(of: "info ledger: ") else { return nil }
    for part in line[start.upperBound...].components(separatedBy: "; ") {
      if part.hasPrefix("received=") {
        received = Int(part.dropFirst(9)) ?? 0
      } else if let colon = part.range(of: "\": ", options: .backwards) {
        let words = part[colon.upperBound...].split(separator: " ").map { $0.split(separator: "=") }
        let numbers = words.compactMap { $0.count == 2 ? (String($0[0]), Int($0[1]) ?? -1) : nil }
        accounts[String(part[..<colon.lowerBound]) + "\""] = Account(numbers: Dictionary(numbers) { $1 })
      } else {
        saysClosed = part == "closed"
      }
    }
  }

  /// Every account closes, and the line says so too.
  public var closes: Bool { saysClosed && accounts.values.allSatisfy(\.closes) }

  /// The account of an instance: `ledger["output", "siem/json"]`.
  public subscript(stage: String, name: String) -> Account? { accounts["\(stage) \"\(name)\""] }
  /// The account of one of an output's several destinations.
  public subscript(stage: String, name: String, to destination: String) -> Account? {
    accounts["\(stage) \"\(name)\" to \"\(destination)\""]
  }
}
