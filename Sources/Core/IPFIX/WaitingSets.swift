import PluginABI

/// A data set whose template has not come, with what its message said.
struct WaitingSet {
  let domain: Domain.Key
  let id: UInt16
  /// The message's header, then the set.
  let bytes: [UInt8]
  let headerLength: Int
  let message: flowcep_message
  let uptime: Uptime?
}

/// The data sets of a session that wait, oldest first, bounded in bytes and in time.
struct WaitingSets {
  private var sets: [WaitingSet] = []
  /// Sets before it are gone.
  private var first = 0
  private(set) var bytes = 0

  /// What a set costs besides its bytes.
  private static let overhead = 160

  var isEmpty: Bool { first == sets.count }
  var count: Int { sets.count - first }

  /// Adds a set; gives how many older ones had to go.
  mutating func add(_ set: WaitingSet, limit: Int) -> Int {
    let cost = set.bytes.count + Self.overhead
    guard cost <= limit else { return 1 }
    var dropped = 0
    while bytes + cost > limit, !isEmpty {
      dropFirst()
      dropped += 1
    }
    sets.append(set)
    bytes += cost
    return dropped
  }

  /// Lets go of what came before `arrival`; gives how many there were.
  mutating func expire(before arrival: UInt64) -> Int {
    var dropped = 0
    while !isEmpty, sets[first].message.arrival_ns < arrival {
      dropFirst()
      dropped += 1
    }
    return dropped
  }

  /// Takes out the sets of a template.
  mutating func take(_ domain: Domain.Key, _ id: UInt16) -> [WaitingSet] {
    let found = sets[first...].filter { $0.domain == domain && $0.id == id }
    guard !found.isEmpty else { return [] }
    sets = sets[first...].filter { $0.domain != domain || $0.id != id }
    first = 0
    bytes -= found.reduce(0) { $0 + $1.bytes.count + Self.overhead }
    return found
  }

  mutating func removeAll() -> Int {
    defer { self = WaitingSets() }
    return count
  }

  private mutating func dropFirst() {
    bytes -= sets[first].bytes.count + Self.overhead
    first += 1
    if first > 64, first > sets.count / 2 {
      sets.removeFirst(first)
      first = 0
    }
  }
}
