/// Finds where messages end in a stream of bytes (TCP, a file): by version and length, nothing more.
public enum MessageFramer {
  public enum Step: Equatable, Sendable {
    /// A whole message of that many bytes begins here.
    case message(length: Int)
    /// So many bytes must be there before more can be said.
    case needs(Int)
    case bad(Reason)
  }

  /// Why the stream cannot be followed any further.
  public enum Reason: Equatable, Sendable, CustomStringConvertible {
    case version(UInt16)
    case length(UInt16)

    public var description: String {
      switch self {
      case .version(let version): "bad version \(version), expected 10 (IPFIX)"
      case .length(let length): "bad message length \(length), the header alone has 16 bytes"
      }
    }
  }

  /// What begins at the first of `bytes`.
  @inlinable
  public static func step(_ bytes: UnsafeRawBufferPointer) -> Step {
    guard bytes.count >= 4 else { return .needs(4) }
    let version = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    guard version == Wire.version else { return .bad(.version(version)) }
    let length = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    guard length >= 16 else { return .bad(.length(length)) }
    return bytes.count >= Int(length) ? .message(length: Int(length)) : .needs(Int(length))
  }
}
