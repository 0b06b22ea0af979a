/// What became of every record, account by account. It closes when each account does: received = delivered + each drop.
public struct Ledger: Sendable {
  public struct Entry: Sendable, Equatable {
    /// `dropped` with its reason, `lost` with its reason, or empty for a plain number.
    public var reason: String
    public var amount: UInt64

    public init(_ reason: String, _ amount: UInt64) {
      self.reason = reason
      self.amount = amount
    }
  }

  /// One stage instance. An input has received and delivered alike: what it lost before decoding stands under `lost`.
  public struct Account: Sendable {
    public var instance: InstanceName
    /// Of an instance that serves several destinations, the one that this account is of.
    public var destination: String?
    public var received: UInt64
    public var delivered: UInt64
    public var dropped: [Entry]
    public var lost: [Entry]
    /// Records made here beyond those received (an intermediate that splits, a CEP output's detections).
    public var added: UInt64
    /// What a plugin counts besides: of the delivered records those that are unconfirmed, for example.
    public var noted: [Entry] = []

    public init(
      _ instance: InstanceName, received: UInt64, delivered: UInt64, dropped: [Entry] = [], lost: [Entry] = [], added: UInt64 = 0
    ) {
      self.instance = instance
      self.received = received
      self.delivered = delivered
      self.dropped = dropped
      self.lost = lost
      self.added = added
    }

    /// Records that are in a queue or a buffer: neither delivered nor dropped yet.
    public var waiting: UInt64 = 0

    /// While the stage runs, what its account calls `stopping` for want of an end only waits.
    public mutating func nameWhatWaits() {
      if let place = dropped.lastIndex(where: { $0.reason == Self.unfinished }) {
        waiting += dropped.remove(at: place).amount
      }
      if unaccounted > 0 { waiting += UInt64(unaccounted) }
    }

    /// The reason of what a stage that has not ended cannot answer for; in the last line it reads `stopping`.
    public static let unfinished = "unfinished"

    /// Each reason once: a stage and its plugin may drop for the same one.
    public var mergedDrops: [Entry] {
      dropped.reduce(into: []) { merged, entry in
        var entry = entry
        if entry.reason == Self.unfinished { entry.reason = "stopping" }
        if let place = merged.firstIndex(where: { $0.reason == entry.reason }) {
          merged[place].amount &+= entry.amount
        } else {
          merged.append(entry)
        }
      }
    }

    /// received + added − delivered − all drops; 0 where the account closes.
    public var unaccounted: Int64 {
      let out = dropped.reduce(delivered &+ waiting) { $0 &+ $1.amount }
      return Int64(bitPattern: received &+ added &- out)
    }
  }

  public var accounts: [Account]

  public init(accounts: [Account] = []) {
    self.accounts = accounts
  }

  public var closes: Bool { accounts.allSatisfy { $0.unaccounted == 0 } }

  /// Records that the inputs received.
  public var received: UInt64 {
    accounts.filter { $0.instance.stage == .input }.reduce(0) { $0 &+ $1.received }
  }

  /// One line that people can read and a test can parse:
  /// `received=65; input "tcp": received=65 delivered=65; output "siem/json": received=65 delivered=60 dropped.queue-full=5; closed`
  public var line: String {
    let parts = accounts.map { account in
      var words = ["received=\(account.received)"]
      if account.added > 0 { words.append("added=\(account.added)") }
      words.append("delivered=\(account.delivered)")
      words += account.mergedDrops.filter { $0.amount > 0 }.map { "dropped.\(word($0.reason))=\($0.amount)" }
      words += account.lost.filter { $0.amount > 0 }.map { "lost.\(word($0.reason))=\($0.amount)" }
      words += account.noted.filter { $0.amount > 0 }.map { "\(word($0.reason))=\($0.amount)" }
      if account.unaccounted != 0 { words.append("unaccounted=\(account.unaccounted)") }
      let part = account.destination.map { " to \"\(quoted($0))\"" } ?? ""
      return "\(account.instance.stage.rawValue) \"\(quoted(account.instance.name))\"\(part): " + words.joined(separator: " ")
    }
    return (["received=\(received)"] + parts + [closes ? "closed" : "open"]).joined(separator: "; ")
  }

  /// A reason as one word, so that the line can be split at spaces.
  private func word(_ reason: String) -> String {
    String(reason.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == "." ? $0 : "-" })
  }

  private func quoted(_ name: String) -> String {
    String(name.map { $0 == "\"" || $0 == ";" || $0.isNewline ? " " : $0 })
  }
}
