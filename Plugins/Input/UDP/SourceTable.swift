import PluginABI
import SecureTransport
import Sockets

/// The sources that have sent something, each with its session. Bounded: by number, by ports of one address, by time.
///
/// Who gives way is chosen among a few that are drawn at random: a flood of sources must not cost a search for each.
struct SourceTable {
  final class Source {
    let address: SocketAddress
    let session: UnsafePointer<flowcep_session>
    /// Monotonic, in nanoseconds.
    var lastHeard: UInt64 {
      didSet { datagrams += 1 }
    }
    private(set) var datagrams = 0
    /// Has sent more than somebody does who invents ports and addresses.
    fileprivate var isRegular: Bool { datagrams >= 8 }
    /// Its places in the table's lists.
    fileprivate var place = 0
    fileprivate var placeInAddress = 0
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
  private var byAddress: [SocketAddress.InlineBytes: [Source]] = [:]
  /// In no order.
  private(set) var all: [Source] = []
  /// Datagrams come in runs of one source.
  private var latest: Source?
  let maximum: Int
  let maximumPerAddress: Int
  private static let drawn = 16

  init(maximum: Int, maximumPerAddress: Int) {
    self.maximum = maximum
    self.maximumPerAddress = maximumPerAddress
  }

  var count: Int { all.count }

  mutating func find(_ address: SocketAddress) -> Source? {
    if let latest, latest.address == address { return latest }
    guard let found = sources[address] else { return nil }
    latest = found
    return found
  }

  mutating func add(_ source: Source) {
    sources[source.address] = source
    source.place = all.count
    all.append(source)
    source.placeInAddress = byAddress[source.address.bytes]?.count ?? 0
    byAddress[source.address.bytes, default: []].append(source)
    latest = source
  }

  mutating func remove(_ source: Source) {
    guard sources.removeValue(forKey: source.address) === source else { return }
    let moved = all.removeLast()
    if moved !== source {
      all[source.place] = moved
      moved.place = source.place
    }
    if latest === source { latest = nil }
    guard let neighbour = byAddress[source.address.bytes]?.removeLast() else { return }
    if neighbour !== source {
      byAddress[source.address.bytes]?[source.placeInAddress] = neighbour
      neighbour.placeInAddress = source.placeInAddress
    }
    if byAddress[source.address.bytes]?.isEmpty == true { byAddress[source.address.bytes] = nil }
  }

  enum Room {
    case free, none
    case insteadOf(Source)
  }

  /// Whether a further source of that address may be added, and in whose place: first its own address's, then that of an address with
  /// more of them, then somebody's who has hardly sent anything.
  func room(for address: SocketAddress) -> Room {
    let own = byAddress[address.bytes] ?? []
    if own.count >= maximumPerAddress { return instead(of: own) }
    guard all.count >= maximum else { return .free }
    let drawn = Self.draw(all)
    let most = drawn.map { count(of: $0.address) }.max() ?? 0
    if most > own.count + 1 { return instead(of: drawn.filter { count(of: $0.address) == most }) }
    if !own.isEmpty { return instead(of: own) }
    return instead(of: drawn.filter { !$0.isRegular })
  }

  private func count(of address: SocketAddress) -> Int { byAddress[address.bytes]?.count ?? 0 }

  /// Somebody who has sent little, and of those who has been quiet longest.
  private func instead(of list: [Source]) -> Room {
    let least = Self.draw(list).min { ($0.isRegular ? 1 : 0, $0.lastHeard) < ($1.isRegular ? 1 : 0, $1.lastHeard) }
    return least.map { .insteadOf($0) } ?? .none
  }

  private static func draw(_ list: [Source]) -> [Source] {
    list.count <= drawn ? list : (0..<drawn).map { _ in list[Int.random(in: 0..<list.count)] }
  }

  /// Those that have not been heard since that time.
  func quiet(since: UInt64) -> [Source] { all.filter { $0.lastHeard < since } }
}
