import Foundation

/// Certificates that a test makes for itself with the `openssl` command, in its own folder: an authority, a collector and an
/// exporter of it, and a stranger with an authority of its own.
public struct Certificates: Sendable {
  private let folder: TemporaryFolder

  public init(in folder: TemporaryFolder) throws {
    self.folder = folder
    try makeAuthority("ca")
    try makeAuthority("other")
    try make("collector", "IP:127.0.0.1,DNS:collector.example", authority: "ca")
    try make("exporter", "DNS:exporter.example", authority: "ca")
    try make("stranger", "DNS:exporter.example", authority: "other")
  }

  public func path(_ file: String) -> String { folder.path + "/" + file }
  public func certificate(_ name: String) -> String { path(name + ".crt") }
  public func key(_ name: String) -> String { path(name + ".key") }

  /// Options of `flowcep send`.
  public func options(_ name: String) -> [String] { ["--ca", certificate("ca"), "--cert", certificate(name), "--key", key(name)] }

  public func fingerprint(_ name: String) throws -> String {
    let text = try openssl(["x509", "-in", certificate(name), "-noout", "-fingerprint", "-sha256"])
    return text.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
  }

  private func makeAuthority(_ name: String) throws {
    try openssl(
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key(name), "-out",
        certificate(name),
      ]
        + ["-subj", "/CN=\(name)", "-days", "2"])
  }

  private func make(_ name: String, _ names: String, authority: String) throws {
    try openssl(
      ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key(name), "-out", path(name + ".csr")]
        + ["-subj", "/CN=\(name)"])
    try Data("subjectAltName=\(names)\n".utf8).write(to: URL(fileURLWithPath: path(name + ".ext")))
    try openssl(
      ["x509", "-req", "-in", path(name + ".csr"), "-CA", certificate(authority), "-CAkey", key(authority), "-CAcreateserial"]
        + ["-days", "2", "-extfile", path(name + ".ext"), "-out", certificate(name)])
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key(name))
  }

  @discardableResult
  public func openssl(_ arguments: [String]) throws -> String {
    let result = try Program.run(arguments, executable: "openssl")
    guard result.code == 0 else { throw RunningProcess.CannotStart(reason: "openssl \(arguments.joined(separator: " ")): \(result.error)") }
    return result.output
  }
}
