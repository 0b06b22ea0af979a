/// Who this end is, and whom it takes for its peer: the files and names of a `transportLayerSecurity`.
public struct SecureSettings: Sendable {
  /// A file of certificates (PEM) of those who may vouch for the peer; nil: its fingerprint alone says who it is.
  public var authorities: String?
  /// A file with this end's certificate and those that lead to its authority (PEM).
  public var certificate: String?
  /// A file with its private key (PEM).
  public var key: String?
  /// The peer's certificate must be of one of these names; of any where there are none.
  public var names: [String] = []
  /// The peer's certificate must be one of these; any where there are none.
  public var fingerprints: [Fingerprint] = []

  public init() {}
}

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it.
public struct Fingerprint: Sendable, Hashable {
  public let bytes: [UInt8]

  /// 64 hexadecimal digits, with colons between the bytes or without. Nil for any other text.
  public init?(_ text: String) {
    let digits = text.filter { $0 != ":" }
    guard digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else { return nil }
    let values = digits.compactMap(\.hexDigitValue)
    bytes = stride(from: 0, to: 64, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
  }

  init(bytes: [UInt8]) { self.bytes = bytes }
}

/// Why a context cannot be made: which of its files is at fault, and how.
public struct SecureFailure: Error, Sendable, CustomStringConvertible {
  public enum Part: Sendable { case authorities, certificate, key, library }

  public let part: Part
  public let description: String
}
