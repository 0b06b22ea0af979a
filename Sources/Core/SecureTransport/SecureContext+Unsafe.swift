import COpenSSL
import Glibc

/// What all sessions of an input, or the one of a sender, have in common: certificates, key and policy (an `SSL_CTX`).
public final class SecureContext: @unchecked Sendable {
  public enum Role: Sendable { case server, client }

  let raw: OpaquePointer
  let role: Role
  public let isDatagrams: Bool
  let settings: SecureSettings
  /// What is fit, and yet worth a word: a certificate that has run out.
  public private(set) var warnings: [String] = []

  /// Reads the files and checks that they belong together. Opens no socket.
  ///
  /// - Parameter isDatagrams: DTLS 1.2 in place of TLS 1.2 and 1.3.
  public init(_ role: Role, isDatagrams: Bool, _ settings: SecureSettings) throws(SecureFailure) {
    ERR_clear_error()
    let method =
      switch (role, isDatagrams) {
      case (.server, false): TLS_server_method()
      case (.server, true): DTLS_server_method()
      case (.client, false): TLS_client_method()
      case (.client, true): DTLS_client_method()
      }
    guard let context = SSL_CTX_new(method) else {
      throw SecureFailure(part: .library, description: "OpenSSL gives no context: \(LibraryErrors.take() ?? "no reason")")
    }
    raw = context
    self.role = role
    self.isDatagrams = isDatagrams
    self.settings = settings
    flowcep_ssl_context_harden(context, isDatagrams ? 1 : 0)
    // A key that is encrypted must not make a collector ask its terminal.
    SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, PeerCheck.callback)
    try readOwn()
    try readAuthorities()
    if isDatagrams { CookieSecret.install(context) }
  }

  deinit { SSL_CTX_free(raw) }

  private func readOwn() throws(SecureFailure) {
    guard let certificate = settings.certificate else { return }
    try checkReadable(certificate, .certificate)
    guard SSL_CTX_use_certificate_chain_file(raw, certificate) == 1 else {
      throw SecureFailure(part: .certificate, description: unfit(certificate, "certificate"))
    }
    if let own = SSL_CTX_get0_certificate(raw), X509_cmp_current_time(X509_get0_notAfter(own)) < 0 {
      warnings.append("the certificate in \(certificate) has run out")
    }
    guard let key = settings.key else {
      throw SecureFailure(part: .key, description: "a certificate needs its private key")
    }
    try checkReadable(key, .key)
    guard SSL_CTX_use_PrivateKey_file(raw, key, SSL_FILETYPE_PEM) == 1 else {
      let reason = LibraryErrors.take() ?? ""
      throw SecureFailure(
        part: .key,
        description: reason.contains("values mismatch")
          ? "the key in \(key) does not belong to the certificate in \(certificate)" : unfitKey(key, reason))
    }
    guard SSL_CTX_check_private_key(raw) == 1 else {
      throw SecureFailure(part: .key, description: "the key in \(key) does not belong to the certificate in \(certificate)")
    }
  }

  private func readAuthorities() throws(SecureFailure) {
    guard let authorities = settings.authorities else { return }
    try checkReadable(authorities, .authorities)
    guard SSL_CTX_load_verify_locations(raw, authorities, nil) == 1 else {
      throw SecureFailure(part: .authorities, description: unfit(authorities, "certificate"))
    }
    // Tells exporters with several certificates which one is wanted.
    if role == .server, let names = SSL_load_client_CA_file(authorities) { SSL_CTX_set_client_CA_list(raw, names) }
  }

  private func checkReadable(_ path: String, _ part: SecureFailure.Part) throws(SecureFailure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw SecureFailure(part: part, description: "cannot read \(path): \(LibraryErrors.system)") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw SecureFailure(part: part, description: "cannot read \(path): it is no file")
    }
  }

  private func unfit(_ path: String, _ what: String) -> String {
    let reason = LibraryErrors.take() ?? "no reason"
    return "\(path) holds no \(what) in PEM form (OpenSSL: \(reason))"
  }

  private func unfitKey(_ path: String, _ reason: String) -> String {
    let text = (try? fileStart(path)) ?? ""
    if text.contains("ENCRYPTED") {
      return "the key in \(path) is encrypted, and nobody is there to ask for its password: `openssl pkey` decrypts it"
    }
    return "\(path) holds no private key in PEM form (OpenSSL: \(reason))"
  }

  private func fileStart(_ path: String) throws(SecureFailure) -> String {
    guard let file = fopen(path, "r") else { throw SecureFailure(part: .key, description: LibraryErrors.system) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
