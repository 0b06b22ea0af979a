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

/// The data sets of a session that wait, oldest first, bounded in bytes and in time. Found by their template without a search: who
/// sends many templates and much data without one must not cost everybody else the time.
struct WaitingSets {
  private struct Key: Hashable {
    let domain: Domain.Key
    let id: UInt16
  }

  /// In the order in which they came; nil where one has been taken.
  private var sets: [WaitingSet?] = []
  /// Sets before it are gone.
  private var first = 0
  /// Where a template's sets are.
  private var places: [Key: [Int]] = [:]
  private(set) var count = 0
  private(set) var bytes = 0

  /// What a set costs besides its bytes.
  private static let overhead = 256

  var isEmpty: Bool { count == 0 }

  /// Adds a set; gives how many older ones had to go.
  mutating func add(_ set: WaitingSet, limit: Int) -> Int {
    let cost = Self.cost(set)
    guard cost <= limit else { return 1 }
    var dropped = 0
    while bytes + cost > limit, dropFirst() { dropped += 1 }
    places[Key(domain: set.domain, id: set.id), default: []].append(sets.count)
    sets.append(set)
    count += 1
    bytes += cost
    return dropped
  }

  /// Lets go of what came before `arrival`; gives how many there were.
  mutating func expire(before arrival: UInt64) -> Int {
    var dropped = 0
    while let set = oldest, set.message.arrival_ns < arrival, dropFirst() { dropped += 1 }
    return dropped
  }

  /// Takes out the sets of a template.
  mutating func take(_ domain: Domain.Key, _ id: UInt16) -> [WaitingSet] {
    guard let found = places.removeValue(forKey: Key(domain: domain, id: id)) else { return [] }
    let taken = found.compactMap { sets[$0] }
    for place in found { sets[place] = nil }
    count -= taken.count
    bytes -= taken.reduce(0) { $0 + Self.cost($1) }
    tidy()
    return taken
  }

  mutating func removeAll() -> Int {
    defer { self = WaitingSets() }
    return count
  }

  private static func cost(_ set: WaitingSet) -> Int { set.bytes.count + overhead }

  private var oldest: WaitingSet? {
    mutating get {
      while first < sets.count, sets[first] == nil { first += 1 }
      return first < sets.count ? sets[first] : nil
    }
  }

  private mutating func dropFirst() -> Bool {
    guard let set = oldest else { return false }
    let key = Key(domain: set.domain, id: set.id)
    if places[key]?.count == 1 { places[key] = nil } else { places[key]?.removeFirst() }
    sets[first] = nil
    count -= 1
    bytes -= Self.cost(set)
    tidy()
    return true
  }

  /// Gives memory back when most places are empty.
  private mutating func tidy() {
    guard sets.count > 64, sets.count > 2 * count else { return }
    var kept: [WaitingSet?] = []
    places.removeAll(keepingCapacity: true)
    for case let set? in sets {
      places[Key(domain: set.domain, id: set.id), default: []].append(kept.count)
      kept.append(set)
    }
    (sets, first) = (kept, 0)
  }
}
