import CryptoPAn

/// Crypto-PAn over records of two addresses, all of them distinct.
enum AnonymizeBench {
  static func run() throws {
    guard let cipher = CryptoPAn(key: Array("0123456789abcdefghijklmnopqrstuv".utf8)) else { return }
    let records = 500_000
    let memory = UnsafeMutableRawPointer.allocate(byteCount: records * 32, alignment: 16)
    defer { memory.deallocate() }
    func fill() {
      // An odd multiplier gives every 64-bit value once.
      for index in 0..<records * 4 {
        memory.storeBytes(of: UInt64(index + 1) &* 0x9e37_79b9_7f4a_7c15, toByteOffset: index * 8, as: UInt64.self)
      }
    }
    fill()
    Bench.measure("anonymize, two IPv4 addresses", items: records) {
      for record in 0..<records {
        cipher.addIPv4(memory + record * 32)
        cipher.addIPv4(memory + record * 32 + 4)
      }
      cipher.flush()
    }
    fill()
    Bench.measure("anonymize, two IPv6 addresses", items: records / 10) {
      for record in 0..<records / 10 {
        cipher.addIPv6(memory + record * 32)
        cipher.addIPv6(memory + record * 32 + 16)
      }
      cipher.flush()
    }
    Bench.measure("anonymize, making the table for a key", items: 1) { _ = CryptoPAn(key: Array(repeating: 7, count: 32)) }
  }
}
