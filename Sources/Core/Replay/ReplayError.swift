/// Why a capture cannot be read or sent, in a sentence that names the file or the peer.
public struct ReplayError: Error, Sendable, CustomStringConvertible {
  public let description: String
}

import Glibc

/// What the system says of an error number.
func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
