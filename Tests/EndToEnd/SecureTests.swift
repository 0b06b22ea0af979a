import Foundation
import TestSupport
import Testing

/// TLS and DTLS: the right certificate delivers, the wrong one is refused, and the log says why.
@Suite struct SecureTests {
  @Test func theRightCertificateDeliversOverTLS() throws {
    let fixture = try SecureFixture()
    let collector = try fixture.start()
    let sent = try fixture.send("tls", to: collector, as: "exporter")
    #expect(sent.code == 0, "\(sent.error)")
    let client = try fixture.client(to: collector, as: "exporter")
    #expect(client.code == 0, "\(client.error)")
    _ = try collector.process.waitForErrorLine("certificate of /CN=exporter")
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["input", "tls"]?.received == 2 * SecureFixture.records)
  }

  @Test func theWrongCertificateIsRefusedOverTLS() throws {
    let fixture = try SecureFixture()
    let collector = try fixture.start()
    #expect(try fixture.send("tls", to: collector, as: "stranger").code == 1)
    _ = try collector.process.waitForErrorLine("unable to get local issuer certificate; certificate of /CN=stranger")
    _ = try fixture.client(to: collector, as: "stranger")
    _ = try fixture.client(to: collector, as: nil)
    _ = try collector.process.waitForErrorLine("TLS handshake failed: the peer gave no certificate")
    // Without TLS at all.
    let plain = try Exporter(port: String(try collector.port("tcp").prefix { $0.isNumber }))
    try plain.send([0, 10, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    _ = try collector.process.waitForErrorLine("what came is no handshake")
    #expect(try fixture.send("tls", to: collector, as: "exporter").code == 0)
    let refused = try collector.status().inputs.flatMap { $0["refused"] as? [[String: Any]] ?? [] }
    #expect(refused.allSatisfy { $0["peer"] as? String == "127.0.0.1" }, "\(refused)")
    #expect(refused.contains { ($0["reason"] as? String ?? "").contains("the peer gave no certificate") }, "\(refused)")
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["input", "tls"]?.received == SecureFixture.records)
    #expect(collector.process.errorText.components(separatedBy: "refused 127.0.0.1:").count == 5)
  }

  @Test func aStuckHandshakeStallsNobodyAndEnds() throws {
    let fixture = try SecureFixture()
    let collector = try fixture.start("<handshakeTimeout>1 s</handshakeTimeout>")
    let stuck = try Exporter(port: String(try collector.port("tcp").prefix { $0.isNumber }))
    try stuck.send([22, 3, 1, 2])
    #expect(try fixture.send("tls", to: collector, as: "exporter").code == 0)
    _ = try collector.process.waitForErrorLine("its TLS handshake took too long")
    #expect(try collector.stop()["input", "tls"]?.received == SecureFixture.records)
    withExtendedLifetime(stuck) {}
  }

  @Test func theRightCertificateDeliversOverDTLS() throws {
    let fixture = try SecureFixture()
    let collector = try fixture.start()
    let sent = try fixture.send("dtls", to: collector, as: "exporter")
    #expect(sent.code == 0, "\(sent.error)")
    let other = try fixture.datagramClient(to: collector, as: "exporter")
    #expect(other.code == 0, "\(other.error)")
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["input", "dtls"]?.received == 2 * SecureFixture.records)
    #expect(collector.process.errorText.contains("DTLSv1.2, "))
  }

  @Test func theWrongCertificateIsRefusedOverDTLS() throws {
    let fixture = try SecureFixture()
    let collector = try fixture.start()
    let sent = try fixture.send("dtls", to: collector, as: "stranger")
    #expect(sent.code == 1)
    #expect(sent.error.contains("alert unknown ca"), "\(sent.error)")
    _ = try collector.process.waitForErrorLine("DTLS handshake failed: certificate refused: unable to get local issuer certificate")
    #expect(try fixture.datagramClient(to: collector, as: "stranger").code == 1)
    // Without DTLS at all: nobody's session.
    try DatagramExporter().send([], sequence: 0, port: String(try collector.port("udp").prefix { $0.isNumber }))
    #expect(try fixture.datagramClient(to: collector, as: "exporter").code == 0)
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["input", "dtls"]?.received == SecureFixture.records)
    #expect(ledger["input", "dtls"]?.lost("no-dtls-session") == 1)
  }

  @Test func namesAndFingerprintsNarrowWhoIsTaken() throws {
    let fixture = try SecureFixture()
    let elsewhere = try fixture.start("<remoteSubjectFQDN>router.example</remoteSubjectFQDN>")
    #expect(try fixture.send("tls", to: elsewhere, as: "exporter").code == 1)
    _ = try elsewhere.process.waitForErrorLine("its certificate is not of router.example; certificate of /CN=exporter")
    #expect(try fixture.send("dtls", to: elsewhere, as: "exporter").code == 1)
    #expect(try elsewhere.stop().received == 0)
    // Known by its fingerprint alone: no authority.
    let files = """
      <localServerCert>\(fixture.certificates.certificate("collector"))</localServerCert>
      <localServerCertKey>\(fixture.certificates.key("collector"))</localServerCertKey>
      <remoteFingerprint>\(try fixture.certificates.fingerprint("stranger"))</remoteFingerprint>
      """
    let pinned = try fixture.start(files: files)
    #expect(try fixture.send("tls", to: pinned, as: "exporter").code == 1)
    _ = try pinned.process.waitForErrorLine("its certificate's fingerprint is not among those that are taken")
    #expect(try fixture.send("tls", to: pinned, as: "stranger").code == 0)
    #expect(try fixture.send("dtls", to: pinned, as: "stranger").code == 0)
    #expect(try pinned.stop().received == 2 * SecureFixture.records)
  }

  @Test func senderKnowsTheCollectorByNameOrFingerprint() throws {
    let fixture = try SecureFixture()
    let collector = try fixture.start()
    let port = String(try collector.port("tcp").prefix { $0.isNumber })
    func send(_ more: [String]) throws -> (code: Int32, output: String, error: String) {
      try Program.run(["send", "-i", fixture.capture, "-p", port, "--tls", "-n", "1"] + more)
    }
    let own = Array(fixture.certificates.options("exporter").suffix(4))
    let ca = ["--ca", fixture.certificates.certificate("ca")]
    #expect(try send(own + ca + ["--server-name", "collector.example"]).code == 0)
    #expect(try send(own + ca + ["--server-name", "other.example"]).error.contains("hostname mismatch"))
    #expect(try send(own + ["--ca", fixture.certificates.certificate("other")]).error.contains("certificate refused"))
    #expect(try send(own + ["--fingerprint", fixture.certificates.fingerprint("collector")]).code == 0)
    #expect(try send(own + ["--fingerprint", fixture.certificates.fingerprint("stranger")]).code == 1)
    #expect(try send(own).error.contains("--ca or --fingerprint"))
    #expect(try collector.stop().received == 2 * SecureFixture.records)
  }

  @Test func checkFindsFilesThatAreUnfit() throws {
    let fixture = try SecureFixture()
    let certificates = fixture.certificates
    #expect(try fixture.check().code == 0)
    func files(ca: String = certificates.certificate("ca"), certificate: String = certificates.certificate("collector"), key: String)
      -> String
    {
      "<localCAfile>\(ca)</localCAfile><localServerCert>\(certificate)</localServerCert>\n<localServerCertKey>\(key)</localServerCertKey>"
    }
    let key = certificates.key("collector")
    let junk = try fixture.folder.write("no certificate\n", to: "junk.pem")
    let locked = certificates.path("locked.key")
    try certificates.openssl(["pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked])
    let cases: [(files: String, says: String)] = [
      (files(key: certificates.path("missing.key")), "no such file: \(certificates.path("missing.key"))"),
      (files(key: certificates.key("exporter")), "does not belong to the certificate in \(certificates.certificate("collector"))"),
      (files(key: junk), "\(junk) holds no private key in PEM form"),
      (files(key: locked), "the key in \(locked) is encrypted"),
      (files(key: fixture.folder.path), "cannot read \(fixture.folder.path): it is no file"),
      (files(certificate: junk, key: key), "\(junk) holds no certificate in PEM form"),
      (files(ca: junk, key: key), "\(junk) holds no certificate in PEM form"),
      ("<localServerCertKey>\(key)</localServerCertKey>", "/etc/ssl/certs/collector.crt"),
    ]
    for (files, says) in cases {
      let result = try fixture.check(files: files)
      #expect(result.code == 2, "\(files)")
      #expect(result.error.contains(says), "\(result.error)")
      #expect(result.error.contains("startup.xml:"), "\(result.error)")
    }
    #expect(try fixture.check("<remoteFingerprint>12:34</remoteFingerprint>").error.contains("expected the 64 digits"))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
    let open = try fixture.check()
    #expect(open.code == 0)
    #expect(open.error.contains("others can read the key file \(key) (mode 0644)"))
  }
}
