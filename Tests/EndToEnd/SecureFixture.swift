import Foundation
import TestSupport

/// A collector that takes TLS and DTLS only, a capture, and certificates of a test's own.
struct SecureFixture {
  let folder: TemporaryFolder
  let certificates: Certificates
  let capture: String
  static let records = 1200

  init() throws {
    folder = try TemporaryFolder()
    certificates = try Certificates(in: folder)
    _ = try TCPInputTests.capture(domain: 1, records: Self.records, in: folder)
    capture = folder.path + "/1.ipfix"
  }

  /// - Parameters:
  ///   - more: further elements of `transportLayerSecurity`.
  ///   - files: its files, where not the right ones.
  func configuration(_ more: String = "", files: String? = nil) -> String {
    let right = """
      <localCAfile>\(certificates.certificate("ca"))</localCAfile><localServerCert>\(certificates.certificate("collector"))</localServerCert>
      <localServerCertKey>\(certificates.key("collector"))</localServerCertKey>
      """
    let security = "<transportLayerSecurity>\(files ?? right)\(more)</transportLayerSecurity>"
    return """
      <ipfix>
        <collectingProcess><name>c</name>
          <tcpCollector><name>tls</name><localPort>0</localPort>\(security)</tcpCollector>
          <udpCollector><name>dtls</name><localPort>0</localPort>\(security)</udpCollector>
          <exportingProcess>out</exportingProcess></collectingProcess>
        <exportingProcess><name>out</name><destination><name>d</name><count/><queue><policy>drop</policy></queue></destination></exportingProcess>
      </ipfix>
      """
  }

  func start(_ more: String = "", files: String? = nil) throws -> Collector {
    try Collector(configuration(more, files: files), folder: folder)
  }

  /// What `flowcep check` says.
  func check(_ more: String = "", files: String? = nil) throws -> (code: Int32, error: String) {
    let file = try folder.write(configuration(more, files: files), to: "check/startup.xml")
    let result = try Program.run(["check", "-c", file])
    return (result.code, result.error)
  }

  func send(_ transport: String, to collector: Collector, as name: String) throws -> (code: Int32, error: String) {
    let port = try collector.port(transport == "tls" ? "tcp" : "udp").prefix { $0.isNumber }
    let result = try Program.run(
      ["send", "-i", capture, "-p", String(port), "--" + transport, "-n", "1"] + certificates.options(name))
    return (result.code, result.error)
  }

  /// `openssl s_client`, which sends the capture and ends with it.
  func client(to collector: Collector, as name: String?) throws -> (code: Int32, error: String) {
    let port = try collector.port("tcp").prefix { $0.isNumber }
    let own = name.map { " -cert \(certificates.certificate($0)) -key \(certificates.key($0))" } ?? ""
    let command = "openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:\(port) -CAfile \(certificates.certificate("ca"))\(own)"
    let result = try Program.run(["-c", "exec \(command) < \(capture)"], executable: "sh")
    return (result.code, result.error)
  }

  /// The exporter in C over OpenSSL's own datagrams.
  func datagramClient(to collector: Collector, as name: String) throws -> (code: Int32, error: String) {
    let port = try collector.port("udp").prefix { $0.isNumber }
    let result = try Program.run(
      [String(port), capture, certificates.certificate("ca"), certificates.certificate(name), certificates.key(name)],
      executable: Program.folder + "/dtls-sender")
    return (result.code, result.error)
  }
}
