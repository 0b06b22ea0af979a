import ArgumentParser
import Replay
import SecureTransport

/// How `send` encrypts, and who is at both ends.
struct Encryption: ParsableArguments {
  @Flag(help: "TLS 1.2 or 1.3 over TCP.")
  var tls = false

  @Flag(help: "DTLS 1.2 over UDP, a record for each message.")
  var dtls = false

  @Option(help: "A file of certificates (PEM) of those who vouch for the collector.")
  var ca: String?

  @Option(help: "A file with the certificate to show, and those that lead to its authority (PEM).")
  var cert: String?

  @Option(help: "A file with its private key (PEM).")
  var key: String?

  @Option(help: "The name that the collector's certificate must be of; without it, what -d says.")
  var serverName: String?

  @Option(
    help: "The SHA-256 fingerprint that the collector's certificate must have; then its name does not matter.",
    transform: { text in
      guard let fingerprint = Fingerprint(text) else { throw ValidationError("\(text) is no SHA-256 fingerprint of 64 digits") }
      return fingerprint
    })
  var fingerprint: Fingerprint?

  func check(_ transport: Peer.Transport?) throws {
    if tls, dtls { throw ValidationError("--tls excludes --dtls") }
    if tls, transport == .udp { throw ValidationError("--tls is over TCP: --dtls is over UDP") }
    if dtls, transport == .tcp { throw ValidationError("--dtls is over UDP: --tls is over TCP") }
    if tls || dtls {
      guard ca != nil || fingerprint != nil else { throw ValidationError("--ca or --fingerprint must say how the collector is known") }
      guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key belong together") }
    } else if ca != nil || cert != nil || key != nil || serverName != nil || fingerprint != nil {
      throw ValidationError("certificates need --tls or --dtls")
    }
  }

  /// Nil without encryption.
  var transport: Peer.Transport? { tls ? .tcp : dtls ? .udp : nil }

  func security(_ destination: String) -> Peer.Security? {
    guard tls || dtls else { return nil }
    var identity = SecureSettings()
    identity.authorities = ca
    identity.certificate = cert
    identity.key = key
    identity.fingerprints = fingerprint.map { [$0] } ?? []
    return Peer.Security(identity: identity, serverName: fingerprint == nil ? serverName ?? destination : serverName)
  }
}
