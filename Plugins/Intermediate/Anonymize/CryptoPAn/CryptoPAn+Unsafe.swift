/// Prefix-preserving anonymisation (Xu, Fan, Ammar, Moon: "Prefix-preserving IP address anonymization", 2002).
///
/// Bit i of an address is flipped by one bit of AES over the i bits before it, filled up with the pad. The flips of the first 21
/// bits are remembered by `HeadFlips`, so an IPv4 address costs 11 blocks and an IPv6 address 107. Addresses are queued and
/// encrypted many at a time: AES is fast when it has many blocks, and a call into OpenSSL is not free.
///
/// Of one thread.
public final class CryptoPAn {
  public static let keyLength = 32

  private let cipher: BlockCipher
  private let heads: HeadFlips
  /// Blocks of what is queued, encrypted in place.
  private let blocks = UnsafeMutablePointer<SIMD4<UInt32>>.allocate(capacity: CryptoPAn.queueCapacity * (128 - HeadFlips.bits))
  private let pad: SIMD4<UInt32>
  /// For each bit position of a 32-bit word, in network order: the bits before it, and the pad's bits from it on, by word.
  private let masks = UnsafeMutablePointer<UInt32>.allocate(capacity: 32)
  private let pads = UnsafeMutablePointer<UInt32>.allocate(capacity: 4 * 32)
  /// The blocks of IPv4 addresses: all but their first word is the pad's, once and for all.
  private let blocks4 = UnsafeMutablePointer<SIMD4<UInt32>>.allocate(capacity: CryptoPAn.queueCapacity * (32 - HeadFlips.bits))
  private var waiting4 = Queue(bits: 32)
  private var waiting6 = Queue(bits: 128)

  /// Addresses of one length that wait: records of both kinds come mixed, and neither is to cut the other's queue short.
  private struct Queue {
    let addresses = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: CryptoPAn.queueCapacity)
    var count = 0
    let bits: Int
  }

  private static let queueCapacity = 32

  /// - Parameter key: 32 bytes; the first 16 are the cipher's key, the others are encrypted and become the pad.
  /// - Returns: nil where the key has another length or OpenSSL has no AES.
  public init?(key: [UInt8]) {
    guard key.count == Self.keyLength, let cipher = BlockCipher(key: Array(key[..<16])) else { return nil }
    self.cipher = cipher
    blocks[0] = key[16...].withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt32>.self) }
    cipher.encrypt(1, from: blocks, to: blocks)
    pad = blocks[0]
    for bit in 0..<32 {
      masks[bit] = bit == 0 ? 0 : (UInt32.max << UInt32(32 - bit)).bigEndian
      for word in 0..<4 { pads[word * 32 + bit] = pad[word] & ~masks[bit] }
    }
    blocks4.initialize(repeating: pad, count: Self.queueCapacity * (32 - HeadFlips.bits))
    heads = HeadFlips(cipher, pad)
  }

  deinit {
    blocks.deallocate()
    blocks4.deallocate()
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
    heads.expect(UInt32(bigEndian: address.loadUnaligned(as: UInt32.self)))
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
    let perAddress = queue.bits - HeadFlips.bits
    if queue.bits == 32 {
      prepareIPv4(queue.addresses, queue.count)
      cipher.encrypt(queue.count * perAddress, from: blocks4, to: blocks)
      for index in 0..<queue.count { replaceIPv4(queue.addresses[index], blocks + index * perAddress) }
    } else {
      for index in 0..<queue.count { prepareIPv6(queue.addresses[index], blocks + index * perAddress) }
      cipher.encrypt(queue.count * perAddress, from: blocks, to: blocks)
      for index in 0..<queue.count { replaceIPv6(queue.addresses[index], blocks + index * perAddress) }
    }
    queue.count = 0
  }

  private func prepareIPv4(_ addresses: UnsafeMutablePointer<UnsafeMutableRawPointer>, _ count: Int) {
    let (masks, pads) = (masks + HeadFlips.bits, pads + HeadFlips.bits)
    var block = UnsafeMutableRawPointer(blocks4)
    for index in 0..<count {
      let word = addresses[index].loadUnaligned(as: UInt32.self)
      for bit in 0..<32 - HeadFlips.bits {
        block.storeBytes(of: word & masks[bit] | pads[bit], as: UInt32.self)
        block += 16
      }
    }
  }

  private func prepareIPv6(_ address: UnsafeMutableRawPointer, _ first: UnsafeMutablePointer<SIMD4<UInt32>>) {
    let words = address.loadUnaligned(as: SIMD4<UInt32>.self)
    var (block, out) = (pad, first)
    for word in 0..<4 {
      for bit in (word == 0 ? HeadFlips.bits : 0)..<32 {
        block[word] = words[word] & masks[bit] | pads[word * 32 + bit]
        out.pointee = block
        out += 1
      }
      block[word] = words[word]
    }
  }

  private func replaceIPv4(_ address: UnsafeMutableRawPointer, _ encrypted: UnsafeMutablePointer<SIMD4<UInt32>>) {
    let word = UInt32(bigEndian: address.loadUnaligned(as: UInt32.self))
    let flips = heads.flips(of: word) | firstBits(of: encrypted, 32 - HeadFlips.bits)
    address.storeBytes(of: (word ^ flips).bigEndian, as: UInt32.self)
  }

  private func replaceIPv6(_ address: UnsafeMutableRawPointer, _ encrypted: UnsafeMutablePointer<SIMD4<UInt32>>) {
    replaceIPv4(address, encrypted)
    for word in 1..<4 {
      let flips = firstBits(of: encrypted + (word * 32 - HeadFlips.bits), 32)
      let place = address + word * 4
      place.storeBytes(of: place.loadUnaligned(as: UInt32.self) ^ flips.bigEndian, as: UInt32.self)
    }
  }
}
