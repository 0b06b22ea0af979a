import SecureTransport
import TestSupport
import Testing

/// DTLS without a network: both ends in one test, each datagram in our hands.
@Suite struct DatagramTests {
  /// Datagrams on their way.
  final class Wire {
    var datagrams: [[UInt8]] = []
    func take() -> [UInt8]? { datagrams.isEmpty ? nil : datagrams.removeFirst() }
    func add(_ bytes: UnsafeRawBufferPointer) { datagrams.append(Array(bytes)) }
  }

  /// A client, and a gate that has not seen it yet.
  final class Pair {
    let (up, down) = (Wire(), Wire())
    let client: SecureDatagrams
    let gate: SecureGate
    var server: SecureDatagrams?
    var received: [[UInt8]] = []

    init(_ certificates: Certificates, exporter: String = "exporter") throws {
      func settings(_ name: String) -> SecureSettings {
        var settings = SecureSettings()
        (settings.authorities, settings.certificate, settings.key) =
          (certificates.certificate("ca"), certificates.certificate(name), certificates.key(name))
        return settings
      }
      let up = up
      gate = SecureGate(try SecureContext(.server, isDatagrams: true, settings("collector")))
      client = try #require(SecureDatagrams(try SecureContext(.client, isDatagrams: true, settings(exporter))) { up.add($0) })
    }

    func knock(_ datagram: [UInt8], from peer: [UInt8]) -> SecureDatagrams? {
      let down = down
      return datagram.withUnsafeBytes { gate.receive($0, from: peer) { down.add($0) } }
    }

    /// Carries datagrams until nothing moves any more; what the server said last.
    func run() -> SecureDatagrams.Outcome? {
      var last: SecureDatagrams.Outcome?
      while !up.datagrams.isEmpty || !down.datagrams.isEmpty {
        while let datagram = up.take() {
          if let server {
            last = datagram.withUnsafeBytes { server.receive($0) { received.append(Array($0)) } }
          } else if let admitted = knock(datagram, from: [1]) {
            server = admitted
            _ = admitted.handshake()
          }
        }
        while let datagram = down.take() { _ = datagram.withUnsafeBytes { client.receive($0) { _ in } } }
      }
      return last
    }
  }

  @Test func aRecordIsAMessage() throws {
    let pair = try Pair(try Certificates(in: try TemporaryFolder()))
    _ = pair.client.handshake()
    #expect(pair.run() == .established)
    for text in ["first", "second"] { #expect(Array(text.utf8).withUnsafeBytes { pair.client.send($0) } == nil) }
    #expect(pair.run() == .goesOn)
    #expect(pair.received == [Array("first".utf8), Array("second".utf8)])
    pair.client.sayGoodbye()
    #expect(pair.run() == .ended(nil))
  }

  @Test func nothingBeginsWithoutTheCookieOfItsAddress() throws {
    let pair = try Pair(try Certificates(in: try TemporaryFolder()))
    _ = pair.client.handshake()
    let first = try #require(pair.up.take())
    // However often it comes, it gets a cookie and nothing else.
    for _ in 0..<3 { #expect(pair.knock(first, from: [1]) == nil) }
    #expect(pair.down.datagrams.count == 3)
    let answer = try #require(pair.down.take())
    #expect(answer.count < first.count)
    _ = answer.withUnsafeBytes { pair.client.receive($0) { _ in } }
    let second = try #require(pair.up.take())
    #expect(second.count > first.count)
    // The cookie of another address is no cookie.
    #expect(pair.knock(second, from: [2]) == nil)
    #expect(pair.knock(second, from: [1]) != nil)
  }

  @Test func junkBeginsNothingAndEndsNothing() throws {
    let pair = try Pair(try Certificates(in: try TemporaryFolder()))
    #expect(pair.knock([], from: [1]) == nil)
    #expect(pair.knock([UInt8](repeating: 22, count: 200), from: [1]) == nil)
    _ = pair.client.handshake()
    let hello = try #require(pair.up.datagrams.first)
    for length in 0..<hello.count { #expect(pair.knock(Array(hello[..<length]), from: [1]) == nil) }
    pair.down.datagrams = []
    #expect(pair.run() == .established)
    // Forged, repeated and cut records are passed over.
    _ = Array("good".utf8).withUnsafeBytes { pair.client.send($0) }
    let good = try #require(pair.up.datagrams.first)
    var forged = good
    forged[forged.count - 1] ^= 1
    pair.up.datagrams = [forged, [23], Array(good.dropLast()), good, good, [UInt8](repeating: 0, count: 40)]
    #expect(pair.run() == .goesOn)
    #expect(pair.received == [Array("good".utf8)])
  }

  @Test func theWrongCertificateFails() throws {
    let pair = try Pair(try Certificates(in: try TemporaryFolder()), exporter: "stranger")
    _ = pair.client.handshake()
    guard case .failed(let reason)? = pair.run() else {
      Issue.record("the stranger was taken")
      return
    }
    #expect(reason.hasPrefix("DTLS handshake failed: certificate refused: unable to get local issuer certificate"))
    #expect(reason.hasSuffix("; certificate of /CN=stranger"))
  }

  @Test func fingerprintsAreRead() {
    let plain = String(repeating: "0aF", count: 21) + "9"
    #expect(Fingerprint(plain) != nil)
    #expect(Fingerprint("AB:" + String(repeating: "00:", count: 30) + "ff")?.bytes.first == 0xab)
    for wrong in ["", "12", plain + "0", String(plain.dropLast()) + "g"] { #expect(Fingerprint(wrong) == nil) }
  }
}
