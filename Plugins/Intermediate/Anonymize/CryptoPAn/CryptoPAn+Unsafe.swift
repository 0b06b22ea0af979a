import COpenSSL

/// Prefix-preserving anonymisation (Xu, Fan, Ammar, Moon: "Prefix-preserving IP address anonymization", 2002).
///
/// Bit i of an address is flipped by one bit of AES over the i bits before it, filled up with the pad. The flips of the first 16
/// bits depend on 65,535 inputs only and are worked out beforehand, so an IPv4 address costs 16 blocks and an IPv6 address 112.
/// Addresses are queued and encrypted many at a time: AES is fast when it has many blocks, and a call into OpenSSL is not free.
///
/// Of one thread.
public final class CryptoPAn {
  public static let keyLength = 32

  private let context: OpaquePointer
  /// Blocks of what is queued, encrypted in place.
  private let blocks = UnsafeMutablePointer<SIMD4<UInt32>>.allocate(capacity: CryptoPAn.blockCapacity)
  /// The flips of the first 16 bits, by those bits.
  private let firstFlips = UnsafeMutablePointer<UInt16>.allocate(capacity: 1 << 16)
  private let pad: SIMD4<UInt32>
  /// For each bit position of a 32-bit word, in network order: the bits before it, and the pad's bits from it on, by word.
  private let masks = UnsafeMutablePointer<UInt32>.allocate(capacity: 32)
  private let pads = UnsafeMutablePointer<UInt32>.allocate(capacity: 4 * 32)
  /// The blocks of IPv4 addresses: all but their first word is the pad's, once and for all.
  private let blocks4 = UnsafeMutablePointer<SIMD4<UInt32>>.allocate(capacity: CryptoPAn.queueCapacity * 16)
  private var waiting4 = Queue(bits: 32)
  private var waiting6 = Queue(bits: 128)

  /// Addresses of one length that wait: records of both kinds come mixed, and neither is to cut the other's queue short.
  private struct Queue {
    let addresses = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: CryptoPAn.queueCapacity)
    var count = 0
    let bits: Int
  }

  private static let queueCapacity = 32
  private static let blockCapacity = 1 << 12

  /// - Parameter key: 32 bytes; the first 16 are the cipher's key, the others are encrypted and become the pad.
  /// - Returns: nil where the key has another length or OpenSSL has no AES.
  public init?(key: [UInt8]) {
    guard key.count == Self.keyLength, let context = EVP_CIPHER_CTX_new() else { return nil }
    self.context = context
    var secret = [UInt8](repeating: 0, count: 16)
    let isReady =
      EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), nil, key, nil) == 1 && EVP_CIPHER_CTX_set_padding(context, 0) == 1
      && Self.encrypt(context, Array(key[16...]), &secret)
    guard isReady else {
      EVP_CIPHER_CTX_free(context)
      return nil
    }
    pad = secret.withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt32>.self) }
    for bit in 0..<32 {
      masks[bit] = bit == 0 ? 0 : (UInt32.max << UInt32(32 - bit)).bigEndian
      for word in 0..<4 { pads[word * 32 + bit] = pad[word] & ~masks[bit] }
    }
    blocks4.initialize(repeating: pad, count: Self.queueCapacity * 16)
    fillFirstFlips()
  }

  deinit {
    EVP_CIPHER_CTX_free(context)
    blocks.deallocate()
    blocks4.deallocate()
    firstFlips.deallocate()
    masks.deallocate()
    pads.deallocate()
    waiting4.addresses.deallocate()
    waiting6.addresses.deallocate()
  }

  /// Replaces the 4 bytes at `address`, now or at the next `flush`; until then nobody may read or move them.
  @inlinable @inline(__always)
  public func addIPv4(_ address: UnsafeMutableRawPointer) { add4(address) }

  /// Replaces the 16 bytes at `address`, now or at the next `flush`; until then nobody may read or move them.
  @inlinable @inline(__always)
  public func addIPv6(_ address: UnsafeMutableRawPointer) { add6(address) }

  @usableFromInline func add4(_ address: UnsafeMutableRawPointer) { add(address, to: &waiting4) }
  @usableFromInline func add6(_ address: UnsafeMutableRawPointer) { add(address, to: &waiting6) }

  @inline(__always)
  private func add(_ address: UnsafeMutableRawPointer, to queue: inout Queue) {
    queue.addresses[queue.count] = address
    queue.count += 1
    if queue.count == Self.queueCapacity { flush(&queue) }
  }

  /// Replaces what is queued.
  public func flush() {
    flush(&waiting4)
    flush(&waiting6)
  }

  private func flush(_ queue: inout Queue) {
    guard queue.count > 0 else { return }
    let perAddress = queue.bits - 16
    if queue.bits == 32 {
      prepareIPv4(queue.addresses, queue.count)
      encryptBlocks(queue.count * perAddress, from: blocks4)
    } else {
      for index in 0..<queue.count { prepareIPv6(queue.addresses[index], blocks + index * perAddress) }
      encryptBlocks(queue.count * perAddress, from: blocks)
    }
    for index in 0..<queue.count { replace(queue.addresses[index], blocks + index * perAddress, bits: queue.bits) }
    queue.count = 0
  }

  private func prepareIPv4(_ addresses: UnsafeMutablePointer<UnsafeMutableRawPointer>, _ count: Int) {
    let (masks, pads) = (masks + 16, pads + 16)
    var first = UnsafeMutableRawPointer(blocks4)
    for index in 0..<count {
      let word = addresses[index].loadUnaligned(as: UInt32.self)
      for bit in 0..<16 { first.storeBytes(of: word & masks[bit] | pads[bit], toByteOffset: bit * 16, as: UInt32.self) }
      first += 16 * 16
    }
  }

  private func prepareIPv6(_ address: UnsafeMutableRawPointer, _ first: UnsafeMutablePointer<SIMD4<UInt32>>) {
    let words = address.loadUnaligned(as: SIMD4<UInt32>.self)
    var (block, out) = (pad, first)
    for word in 0..<4 {
      for bit in (word == 0 ? 16 : 0)..<32 {
        block[word] = words[word] & masks[bit] | pads[word * 32 + bit]
        out.pointee = block
        out += 1
      }
      block[word] = words[word]
    }
  }

  /// Gathers the first bit of each of an address's encrypted blocks and flips the address's bits by them.
  private func replace(_ address: UnsafeMutableRawPointer, _ first: UnsafeMutablePointer<SIMD4<UInt32>>, bits: Int) {
    let head = UInt16(bigEndian: address.loadUnaligned(as: UInt16.self))
    address.storeBytes(of: (head ^ firstFlips[Int(head)]).bigEndian, as: UInt16.self)
    let outputs = UnsafeRawPointer(first)
    for group in 0..<(bits - 16) / 16 {
      var flips: UInt16 = 0
      for bit in 0..<16 {
        flips = flips << 1 | UInt16(outputs.load(fromByteOffset: (group * 16 + bit) * 16, as: UInt8.self) >> 7)
      }
      let place = address + 2 + 2 * group
      place.storeBytes(of: place.loadUnaligned(as: UInt16.self) ^ flips.bigEndian, as: UInt16.self)
    }
  }

  /// Level by level: each prefix of `bit` bits decides one flip, which all addresses that begin with it share.
  private func fillFirstFlips() {
    firstFlips.initialize(repeating: 0, count: 1 << 16)
    for bit in 0..<16 {
      let prefixes = 1 << bit
      for start in stride(from: 0, to: prefixes, by: Self.blockCapacity) {
        let count = min(Self.blockCapacity, prefixes - start)
        for index in 0..<count {
          var block = pad
          let prefix = bit == 0 ? 0 : UInt32(start + index) << UInt32(32 - bit)
          block[0] = prefix.bigEndian & masks[bit] | pads[bit]
          blocks[index] = block
        }
        encryptBlocks(count, from: blocks)
        for index in 0..<count where UnsafeRawPointer(blocks + index).load(as: UInt8.self) & 0x80 != 0 {
          let first = (start + index) << (16 - bit)
          for prefix in first..<first + 1 << (16 - bit) { firstFlips[prefix] |= 1 << UInt16(15 - bit) }
        }
      }
    }
  }

  /// The encrypted blocks go to `blocks`, from which they may come; only the first byte of each is of use.
  private func encryptBlocks(_ count: Int, from plain: UnsafeMutablePointer<SIMD4<UInt32>>) {
    var length: Int32 = 0
    func bytes(_ blocks: UnsafeMutablePointer<SIMD4<UInt32>>) -> UnsafeMutablePointer<UInt8> {
      UnsafeMutableRawPointer(blocks).assumingMemoryBound(to: UInt8.self)
    }
    let status = EVP_EncryptUpdate(context, bytes(blocks), &length, bytes(plain), Int32(count * 16))
    // Fails for no input of whole blocks; going on would give true addresses away.
    precondition(status == 1 && Int(length) == count * 16, "AES of whole blocks failed")
  }

  private static func encrypt(_ context: OpaquePointer, _ block: [UInt8], _ out: inout [UInt8]) -> Bool {
    var length: Int32 = 0
    return EVP_EncryptUpdate(context, &out, &length, block, 16) == 1 && length == 16
  }
}
