public import PluginKit
public import Sockets

/// Those whose handshake is under way at an input that listens, and what is counted and said of them. None is waited for; each has its
/// time, and all together their number.
public final class Guests<Key: Hashable, Guest> {
  private let host: Host
  /// "TLS" or "DTLS".
  private let name: String
  private var guests: [Key: (guest: Guest, address: SocketAddress)] = [:]
  private var handshakes: Handshakes<Key, SocketAddress.InlineBytes>
  private var refusals: RefusalLog
  private var refusedPeers: RefusedPeers

  private let refused: Counter
  private let late: Counter
  private let tooMany: Counter
  private let done: Counter
  private let underWay: Counter

  /// - Parameters:
  ///   - name: "TLS" or "DTLS".
  ///   - options: those of the element `transportLayerSecurity`.
  public init(_ host: Host, _ name: String, _ options: Options) {
    (self.host, self.name) = (host, name)
    handshakes = Handshakes(
      maximum: options.integer("maximumHandshakes") ?? 256, timeout: UInt64(options.integer("handshakeTimeout") ?? 10_000_000_000))
    refusals = RefusalLog(host)
    refusedPeers = RefusedPeers(host)
    let prefix = name.lowercased()
    refused = host.informationCounter(
      "\(prefix)-refused", help: "\(name) handshakes that failed: no certificate, the wrong one, no \(name).")
    late = host.informationCounter("\(prefix)-timeout", help: "\(name) handshakes that took longer than handshakeTimeout.")
    tooMany = host.informationCounter(
      "\(prefix)-too-many", help: "\(name) handshakes that gave way because maximumHandshakes were under way.")
    done = host.informationCounter("\(prefix)-established", help: "\(name) handshakes that succeeded.")
    underWay = host.gauge("\(prefix)-handshakes", help: "\(name) handshakes that are under way.")
  }

  public subscript(_ key: Key) -> Guest? { guests[key]?.guest }
  public var all: [Guest] { guests.values.map(\.guest) }

  /// A handshake begins; one that was under way for the same key is over.
  ///
  /// - Returns: whose handshake gave way to it.
  public func admit(_ guest: Guest, as key: Key, of address: SocketAddress) -> Key? {
    let surplus = guests[key] == nil ? handshakes.surplus(for: address.bytes) : nil
    if let surplus {
      tooMany.add(1)
      end(surplus, "too many handshakes are under way")
    }
    guests[key] = (guest, address)
    handshakes.begin(key, of: address.bytes, now: host.monotonicNanoseconds)
    underWay.set(UInt64(guests.count))
    return surplus
  }

  /// The handshake has failed.
  public func refuse(_ key: Key, _ reason: String) {
    refused.add(1)
    end(key, reason)
  }

  /// The handshake is done: the guest is its input's from now on.
  public func release(_ key: Key) -> (guest: Guest, address: SocketAddress)? {
    handshakes.end(key)
    guard let guest = guests.removeValue(forKey: key) else { return nil }
    done.add(1)
    underWay.set(UInt64(guests.count))
    return guest
  }

  /// Ends the handshakes whose time is over; whose they were.
  public func endExpired() -> [Key] {
    guard !guests.isEmpty else { return [] }
    let expired = handshakes.expired(now: host.monotonicNanoseconds)
    for key in expired {
      late.add(1)
      end(key, "its \(name) handshake took too long")
    }
    return expired
  }

  /// Forgets all, of whom nothing is said; whose handshakes they were.
  public func removeAll() -> [Key] {
    defer { guests = [:] }
    return Array(guests.keys)
  }

  private func end(_ key: Key, _ reason: String) {
    handshakes.end(key)
    guard let (_, address) = guests.removeValue(forKey: key) else { return }
    refusals.say("refused \(address): \(reason)")
    refusedPeers.note(address.host, reason)
    underWay.set(UInt64(guests.count))
  }
}
