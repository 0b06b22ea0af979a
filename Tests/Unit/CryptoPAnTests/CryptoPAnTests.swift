import CryptoPAn
import Glibc
import Testing

/// The key of the algorithm's published sample.
private let sampleKey: [UInt8] = [
  21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34,
  2,
]

/// Addresses as text, replaced all at once.
private func anonymized(_ texts: [String], key: [UInt8] = sampleKey) throws -> [String] {
  let cipher = try #require(CryptoPAn(key: key))
  let memory = UnsafeMutableRawPointer.allocate(byteCount: texts.count * 16, alignment: 16)
  defer { memory.deallocate() }
  for (index, text) in texts.enumerated() {
    let place = memory + index * 16
    let isIPv6 = text.contains(":")
    try #require(inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, place) == 1)
    if isIPv6 { cipher.addIPv6(place) } else { cipher.addIPv4(place) }
  }
  cipher.flush()
  return texts.enumerated().map { index, text in
    var out = [CChar](repeating: 0, count: 64)
    inet_ntop(text.contains(":") ? AF_INET6 : AF_INET, memory + index * 16, &out, 64)
    return String(decoding: out.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

@Suite("Crypto-PAn")
struct CryptoPAnTests {
  @Test("the published sample")
  func published() throws {
    let pairs = [
      ("128.11.68.132", "135.242.180.132"), ("129.118.74.4", "134.136.186.123"), ("130.132.252.244", "133.68.164.234"),
      ("141.223.7.43", "141.167.8.160"), ("141.233.145.108", "141.129.237.235"), ("152.163.225.39", "151.140.114.167"),
      ("156.29.3.236", "147.225.12.42"),
    ]
    #expect(try anonymized(pairs.map(\.0)) == pairs.map(\.1))
  }

  /// Worked out by an independent implementation, bit by bit.
  @Test("edges, IPv6, and another key")
  func independent() throws {
    let pairs = [
      ("0.0.0.0", "120.255.240.1"), ("::", "78ff:f001:9fc0:20df:8380:b1f1:704:ec"), ("::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"),
      ("255.255.255.255", "206.120.97.255"), ("2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"),
      ("2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"), ("2001:db8:1::1", "4401:2bc:603e:23c0:0:6fff:f0f8:c3ed"),
      ("fe80::1234:5678:9abc:def0", "cf7f:c0e:1fc3:da1c:1dab:29e7:9a23:c10c"),
      ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ce78:61ff:387e:8078:38c4:407:c3bf:f781"),
    ]
    #expect(try anonymized(pairs.map(\.0)) == pairs.map(\.1))
    let key = Array("0123456789abcdefghijklmnopqrstuv".utf8)
    let others = [
      ("59.2.153.68", "187.61.100.188"), ("10.0.0.1", "141.194.12.254"), ("192.168.1.1", "63.109.245.14"),
      ("2001:db8::1", "a023:f3bb:c3e0:7cfe:24f:e0f7:8036:fa3e"),
    ]
    #expect(try anonymized(others.map(\.0), key: key) == others.map(\.1))
  }

  @Test("more addresses than one call encrypts; shared prefixes stay shared")
  func many() throws {
    let texts = (0..<1000).map { "10.\($0 / 250).\($0 % 250).1" }
    let together = try anonymized(texts)
    #expect(Set(together).count == 1000)
    #expect(Set(together.map { $0.split(separator: ".").prefix(2).joined(separator: ".") }).count == 4)
    for index in [0, 1, 31, 32, 33, 999] { #expect(try anonymized([texts[index]]) == [together[index]]) }
  }

  @Test("two addresses that share so many bits share as many afterwards", arguments: 0..<32)
  func prefixes(shared: Int) throws {
    let cipher = try #require(CryptoPAn(key: sampleKey))
    let pairs = (1...200).map { (number: UInt32) -> (UInt32, UInt32) in
      let first = number &* 0x9e37_79b1
      let bit = UInt32(1) << UInt32(31 - shared)
      return (first, first ^ bit ^ (number &* 0x85eb_ca6b & (bit - 1)))
    }
    var words = pairs.flatMap { [$0.0.bigEndian, $0.1.bigEndian] }
    words.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      for index in 0..<bytes.count / 4 { cipher.addIPv4(start + 4 * index) }
      cipher.flush()
    }
    for index in pairs.indices {
      #expect((words[2 * index].bigEndian ^ words[2 * index + 1].bigEndian).leadingZeroBitCount == shared)
      #expect(words[2 * index] != pairs[index].0.bigEndian)
    }
  }

  @Test("keys as people write them")
  func keys() {
    let text = "0123456789abcdefghijklmnopqrstuv"
    #expect(KeyText.bytes(text) == Array(text.utf8))
    #expect(KeyText.bytes(text + "\n") == Array(text.utf8))
    #expect(KeyText.bytes(String(repeating: "0aF", count: 21) + "0") == (0..<32).map { [0x0a, 0xf0, 0xaf][$0 % 3] }.map { UInt8($0) })
    for wrong in ["", "short", text + "x", String(repeating: "g", count: 64)] { #expect(KeyText.bytes(wrong) == nil) }
    #expect(CryptoPAn(key: [1, 2, 3]) == nil)
  }
}
