/// Why a text is no JSON.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The byte at which it was found, from 0.
  public let offset: Int
  public let reason: String
  public var description: String { "\(reason) at byte \(offset)" }
}
