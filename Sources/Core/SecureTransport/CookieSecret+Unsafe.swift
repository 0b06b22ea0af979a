import COpenSSL
import Glibc

/// Makes and knows again the cookies of RFC 6347 §4.2.1: whoever gives one back can receive at the address that it sends from. A
/// cookie is valid for a minute or two, and nothing is kept of those that were given out.
final class CookieSecret {
  private let key: [UInt8]
  private static let period = 60
  static let length = 32

  init() {
    var key = [UInt8](repeating: 0, count: 32)
    if RAND_bytes(&key, 32) != 1 { key = (0..<32).map { _ in UInt8.random(in: 0...255) } }
    self.key = key
  }

  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec / period
  }

  private func cookie(of peer: [UInt8], _ minute: Int) -> [UInt8] {
    let text = peer + withUnsafeBytes(of: Int64(minute)) { Array($0) }
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    guard HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &result, &length) != nil else { return [] }
    return Array(result[..<Int(length)])
  }

  func make(for peer: [UInt8]) -> [UInt8] { cookie(of: peer, Self.now) }

  func isValid(_ given: UnsafeRawBufferPointer, for peer: [UInt8]) -> Bool {
    let now = Self.now
    return [now, now - 1].contains { minute in
      let right = cookie(of: peer, minute)
      return right.count == given.count && CRYPTO_memcmp(right, given.baseAddress, right.count) == 0
    }
  }

  static func install(_ context: OpaquePointer) {
    SSL_CTX_set_cookie_generate_cb(context) { ssl, place, length in
      guard let port = DatagramPort.of(SSL_get_rbio(ssl)), let secret = port.secret, let place, let length else { return 0 }
      let cookie = secret.make(for: port.peer)
      guard cookie.count == CookieSecret.length else { return 0 }
      place.update(from: cookie, count: cookie.count)
      length.pointee = UInt32(cookie.count)
      return 1
    }
    SSL_CTX_set_cookie_verify_cb(context) { ssl, given, length in
      guard let port = DatagramPort.of(SSL_get_rbio(ssl)), let secret = port.secret, let given else { return 0 }
      return secret.isValid(UnsafeRawBufferPointer(start: given, count: Int(length)), for: port.peer) ? 1 : 0
    }
  }
}
