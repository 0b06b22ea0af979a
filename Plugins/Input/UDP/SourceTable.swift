import PluginABI
import SecureTransport
import Sockets

/// The sources that have sent something, each with its session. Bounded: by number, by ports of one address, by time.
struct SourceTable {
  final class Source {
    let address: SocketAddress
    let session: UnsafePointer<flowcep_session>
    /// Monotonic, in nanoseconds.
    var lastHeard: UInt64
    /// Over DTLS, with the random value that names its handshake.
    let secure: SecureDatagrams?
    let random: [UInt8]

    init(_ address: SocketAddress, _ session: UnsafePointer<flowcep_session>, _ now: UInt64, _ guest: SecureReception.Guest?) {
      self.address = address
      self.session = session
      lastHeard = now
      secure = guest?.secure
      random = guest?.random ?? []
    }
  }

  private var sources: [SocketAddress: Source] = [:]
  private var ports: [SocketAddress.InlineBytes: Set<UInt16>] = [:]
  /// Datagrams come in runs of one source.
  private var latest: Source?
  let maximum: Int
  let maximumPerAddress: Int

  init(maximum: Int, maximumPerAddress: Int) {
    self.maximum = maximum
    self.maximumPerAddress = maximumPerAddress
  }

  var count: Int { sources.count }
  var isFull: Bool { sources.count >= maximum }

  mutating func find(_ address: SocketAddress) -> Source? {
    if let latest, latest.address == address { return latest }
    guard let found = sources[address] else { return nil }
    latest = found
    return found
  }

  mutating func add(_ source: Source) {
    sources[source.address] = source
    ports[source.address.bytes, default: []].insert(source.address.port)
    latest = source
  }

  /// Of an address that has all the ports it may have, the one that has been quiet longest.
  func surplus(of address: SocketAddress) -> Source? {
    guard let known = ports[address.bytes], known.count >= maximumPerAddress else { return nil }
    return known.compactMap { port in
      var other = address
      other.port = port
      return sources[other]
    }.min { $0.lastHeard < $1.lastHeard }
  }

  mutating func remove(_ source: Source) {
    sources[source.address] = nil
    ports[source.address.bytes]?.remove(source.address.port)
    if ports[source.address.bytes]?.isEmpty == true { ports[source.address.bytes] = nil }
    if latest === source { latest = nil }
  }

  /// Those that have not been heard since that time.
  func quiet(since: UInt64) -> [Source] { sources.values.filter { $0.lastHeard < since } }
  var all: [Source] { Array(sources.values) }
}
