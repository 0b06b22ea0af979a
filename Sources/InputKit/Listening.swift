public import PluginKit
public import Sockets
import Glibc

/// Where an input listens and who may send: the option rows that inputs from the network share, and what they say.
public struct Listening {
  public let addresses: [SocketAddress]
  public let allowed: AllowList
  /// Whether this is one of several instances at the same addresses, among which the kernel divides the sources: one source's packets
  /// always come to the same one.
  public let isShared: Bool

  /// - Parameter allowed: what `allow` says of whom, for its help.
  public static func options(allow: String) -> [Option] {
    [
      .integer("localPort", default: 4739, range: 0...65535, help: "The port to listen on; 0 lets the system choose."),
      .address(
        "localIPAddress", default: "127.0.0.1", repeated: true, help: "An address to listen on, empty for all; may be given several times."),
      .prefix("allow", repeated: true, help: allow),
      .integer(
        "shards", default: 1, range: 1...64, instances: true,
        help: "How many threads receive and decode; each exporter stays with one of them (SO_REUSEPORT)."),
    ]
  }

  public init(_ options: Options) throws(PluginError) {
    let port = UInt16(clamping: options.integer("localPort") ?? 4739)
    var addresses: [SocketAddress] = []
    for text in options.texts("localIPAddress") {
      guard let address = SocketAddress(text, port: port) else { throw PluginError("localIPAddress: \"\(text)\" is no address") }
      addresses.append(address)
    }
    var prefixes: [AddressPrefix] = []
    for text in options.texts("allow") {
      guard let prefix = AddressPrefix(text) else { throw PluginError("allow: \"\(text)\" is no address or prefix") }
      prefixes.append(prefix)
    }
    self.addresses = addresses
    allowed = AllowList(prefixes)
    isShared = (options.integer("shards") ?? 1) > 1
  }

  /// What `check` asks: opens no socket.
  public static func validate(_ host: Host, _ options: Options) throws(PluginError) {
    guard options.integer("shards") ?? 1 > 1, options.integer("localPort") == 0 else { return }
    let message = "shards share a port, so it must be named: the system would choose another one for each"
    let place = options.place("localPort")
    host.report(error: message, file: place?.file, line: place?.line ?? 0, column: place?.column ?? 0)
    throw PluginError(message)
  }

  /// - Parameter closed: whether nothing is to be received until `BoundSocket.open`.
  public func bind(_ kind: BoundSocket.Kind, on address: SocketAddress, closed: Bool = false) throws(PluginError) -> BoundSocket {
    do throws(BoundSocket.Failure) {
      return try BoundSocket(kind, on: address, reusingPort: isShared, closed: closed)
    } catch {
      throw PluginError("cannot listen on \(kind.name) \(address): \(error.reason); \(Self.advice(error.errno))")
    }
  }

  private static func advice(_ code: Int32) -> String {
    switch code {
    case EADDRNOTAVAIL: "change localIPAddress"
    case EACCES: "change localPort to one from 1024"
    default: "change localPort"
    }
  }
}
