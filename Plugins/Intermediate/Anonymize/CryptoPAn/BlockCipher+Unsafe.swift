import COpenSSL

/// AES-128 of one block after another, by OpenSSL.
final class BlockCipher {
  private let context: OpaquePointer

  /// - Parameter key: 16 bytes.
  init?(key: [UInt8]) {
    guard let context = EVP_CIPHER_CTX_new() else { return nil }
    self.context = context
    guard EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), nil, key, nil) == 1, EVP_CIPHER_CTX_set_padding(context, 0) == 1 else {
      return nil
    }
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// Both may be the same.
  func encrypt(_ count: Int, from plain: UnsafeMutablePointer<SIMD4<UInt32>>, to encrypted: UnsafeMutablePointer<SIMD4<UInt32>>) {
    var length: Int32 = 0
    func bytes(_ blocks: UnsafeMutablePointer<SIMD4<UInt32>>) -> UnsafeMutablePointer<UInt8> {
      UnsafeMutableRawPointer(blocks).assumingMemoryBound(to: UInt8.self)
    }
    let status = EVP_EncryptUpdate(context, bytes(encrypted), &length, bytes(plain), Int32(count * 16))
    // Fails for no input of whole blocks; going on would give true addresses away.
    precondition(status == 1 && Int(length) == count * 16, "AES of whole blocks failed")
  }
}

/// The first bit of each of `count` blocks, the first one's highest.
@inline(__always)
func firstBits(of blocks: UnsafeMutablePointer<SIMD4<UInt32>>, _ count: Int) -> UInt32 {
  let bytes = UnsafeRawPointer(blocks)
  var bits: UInt32 = 0
  for index in 0..<count { bits = bits << 1 | UInt32(bytes.load(fromByteOffset: index * 16, as: UInt8.self) >> 7) }
  return bits
}
