import COpenSSL

/// Whether a peer's certificate is one that the settings ask for; asked by OpenSSL while the handshake is under way, so that a
/// peer that is refused learns it in the handshake.
final class PeerCheck {
  private let settings: SecureSettings
  /// Whose certificate the peer has shown.
  private(set) var subject: String?
  private(set) var failure: String?

  init(_ settings: SecureSettings) { self.settings = settings }

  /// Joins the check to its session; it must live as long.
  func attach(to ssl: OpaquePointer) { SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque()) }

  static let callback: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isGood, store in
    guard let store, let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
      let own = SSL_get_ex_data(OpaquePointer(ssl), 0)
    else { return 0 }
    return Unmanaged<PeerCheck>.fromOpaque(own)._withUnsafeGuaranteedRef { $0.check(store, isGood: isGood == 1) } ? 1 : 0
  }

  private func check(_ store: OpaquePointer, isGood: Bool) -> Bool {
    let isPeers = X509_STORE_CTX_get_error_depth(store) == 0
    guard let certificate = X509_STORE_CTX_get_current_cert(store) else { return isGood }
    if isPeers { subject = Self.subject(of: certificate) }
    // Without authorities nobody vouches for the certificate: it is known by itself.
    if settings.authorities == nil {
      guard isPeers else { return true }
      guard hasFingerprint(certificate) else { return refuse(store, "its certificate's fingerprint is not among those that are taken") }
      X509_STORE_CTX_set_error(store, X509_V_OK)
      return true
    }
    guard isGood else {
      let code = X509_STORE_CTX_get_error(store)
      failure = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "its certificate is not valid"
      return false
    }
    guard isPeers else { return true }
    guard settings.names.isEmpty || settings.names.contains(where: { X509_check_host(certificate, $0, 0, 0, nil) == 1 }) else {
      return refuse(store, "its certificate is not of \(settings.names.joined(separator: " or "))")
    }
    guard settings.fingerprints.isEmpty || hasFingerprint(certificate) else {
      return refuse(store, "its certificate's fingerprint is not among those that are taken")
    }
    return true
  }

  private func refuse(_ store: OpaquePointer, _ reason: String) -> Bool {
    failure = reason
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
    return false
  }

  private func hasFingerprint(_ certificate: OpaquePointer) -> Bool {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    guard X509_digest(certificate, EVP_sha256(), &digest, &length) == 1 else { return false }
    return settings.fingerprints.contains(Fingerprint(bytes: Array(digest[..<Int(length)])))
  }

  /// `/CN=exporter.example`; odd bytes are escaped.
  static func subject(of certificate: OpaquePointer) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    X509_NAME_oneline(X509_get_subject_name(certificate), &buffer, Int32(buffer.count))
    return LibraryErrors.text(buffer)
  }
}
