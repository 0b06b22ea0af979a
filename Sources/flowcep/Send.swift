import ArgumentParser
import Glibc
import Replay
import SecureTransport

struct Send: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send",
    abstract: "Replay a capture to a collector.",
    discussion: """
      Messages go out as they stand in the file; on every further loop sequence numbers go on and, with --shift, times too. Over TCP \
      the command ends when the peer has acknowledged everything. --tls and --dtls need --ca or --fingerprint to know the collector, and \
      --cert and --key to be known to it.
      """)

  @Option(name: [.customShort("i"), .long], help: "The IPFIX file.")
  var input: String

  @Option(name: [.customShort("d"), .long], help: "The collector's address or name.")
  var destination = "127.0.0.1"

  @Option(name: [.customShort("p"), .long], help: "The collector's port.")
  var port: UInt16 = 4739

  @Option(name: [.customShort("t"), .long], help: "TCP or UDP; UDP where not given.", transform: { try parseTransport($0) })
  var transport: Peer.Transport?

  @OptionGroup(title: "Encryption") var encryption: Encryption

  @Option(name: [.customShort("n"), .long], help: "How often the capture is sent; without it, again and again.")
  var loops: Int?

  @Option(name: [.customShort("R"), .long], help: "Times as fast as it was exported: 1 is real time.")
  var ratio: Double?

  @Option(
    name: [.customShort("s"), .long], help: "At most so many bytes a second; K, M and G stand for 1024 and its powers.",
    transform: { try parseBytes($0) })
  var speed: Double?

  @Option(name: [.customShort("S"), .long], help: "At most so many messages a second.")
  var packets: Double?

  @Option(name: [.customShort("O"), .customLong("odid")], help: "The observation domain that all messages get.")
  var domain: UInt32?

  @Flag(help: "On every further loop, add the capture's span of export times to export and flow times.")
  var shift = false

  func validate() throws {
    if ratio != nil, speed != nil || packets != nil { throw ValidationError("-R excludes -s and -S") }
    if speed != nil, packets != nil { throw ValidationError("-s excludes -S") }
    for rate in [ratio, speed, packets] where rate.map({ !($0 > 0 && $0.isFinite) }) ?? false {
      throw ValidationError("a speed must be more than 0")
    }
    if let loops, loops < 1 { throw ValidationError("a capture is sent at least once") }
    try encryption.check(transport)
    if port == 0 { throw ValidationError("a port is a number from 1 to 65535") }
  }

  func run() throws {
    var options = ReplayOptions()
    options.loops = loops
    options.observationDomain = domain
    options.shiftsTimes = shift
    options.pace =
      ratio.map { .ratio($0) } ?? speed.map { .bytesPerSecond($0) } ?? packets.map { .messagesPerSecond($0) } ?? .full
    let capture = try Capture(path: input)
    let peer = Peer(
      host: destination, port: port, transport: encryption.transport ?? transport ?? .udp, security: encryption.security(destination))
    // A peer that goes away is an error to tell of.
    if encryption.transport != nil { signal(SIGPIPE, SIG_IGN) }
    var bar = ProgressBar(total: capture.messages.count * (loops ?? 1), unit: "messages")
    let perLoop = capture.messages.count, endless = loops == nil
    let totals = try Replayer(capture, options).send(to: peer) { bar.update(endless ? $0.messages % perLoop : $0.messages) }
    bar.finish()
    writeError("sent \(totals.messages) messages, \(totals.bytes) bytes to \(peer)\n")
    if totals.refusals > 0 { writeError("nobody listened there \(totals.refusals) times in between: what was sent then is lost\n") }
  }
}

private func parseTransport(_ text: String) throws -> Peer.Transport {
  guard let transport = Peer.Transport(rawValue: text.uppercased()) else { throw ValidationError("\(text) is not TCP or UDP") }
  return transport
}

/// A number of bytes with a suffix of ipfixsend's: B, K, M or G.
private func parseBytes(_ text: String) throws -> Double {
  let factors: [Character: Double] = ["B": 1, "K": 1024, "M": 1024 * 1024, "G": 1024 * 1024 * 1024]
  let factor = text.last.flatMap { factors[Character($0.uppercased())] }
  guard let number = Double(factor == nil ? text : String(text.dropLast())) else {
    throw ValidationError("\(text) is no number of bytes")
  }
  return number * (factor ?? 1)
}
