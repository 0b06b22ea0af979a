/// Which peers are in the middle of a handshake, and since when. Bounded in number and in time; where there is no room, the address
/// with most handshakes gives way, so that a flood from one costs no other its place.
public struct Handshakes<Key: Hashable, Address: Hashable> {
  private struct Entry {
    var address: Address
    var until: UInt64
  }
  private var entries: [Key: Entry] = [:]
  private var perAddress: [Address: Int] = [:]
  public let maximum: Int
  /// In nanoseconds.
  public let timeout: UInt64

  public init(maximum: Int, timeout: UInt64) {
    self.maximum = maximum
    self.timeout = timeout
  }

  public var count: Int { entries.count }

  /// Whose handshake must end for a further one of this address to begin; nil where there is room. The address's own oldest, unless another
  /// address has more under way than this one would have.
  public func surplus(for address: Address) -> Key? {
    guard entries.count >= maximum else { return nil }
    let own = perAddress[address] ?? 0
    let heaviest = perAddress.max { $0.value < $1.value }
    let loser = heaviest.map { $0.value > own ? $0.key : address } ?? address
    return entries.filter { $0.value.address == loser }.min { $0.value.until < $1.value.until }?.key
  }

  public mutating func begin(_ key: Key, of address: Address, now: UInt64) {
    end(key)
    entries[key] = Entry(address: address, until: now + timeout)
    perAddress[address, default: 0] += 1
  }

  public mutating func end(_ key: Key) {
    guard let entry = entries.removeValue(forKey: key), let count = perAddress[entry.address] else { return }
    perAddress[entry.address] = count > 1 ? count - 1 : nil
  }

  /// Those whose time is over.
  public func expired(now: UInt64) -> [Key] { entries.filter { $0.value.until <= now }.map(\.key) }
}
