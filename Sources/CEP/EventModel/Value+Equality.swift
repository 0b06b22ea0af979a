extension Value: Hashable {
  /// Equality of keys and of values of one type: null equals null, an address equals its text, NaN equals NaN.
  public static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.int(let x), .int(let y)): x == y
    case (.string(let x), .string(let y)): sameBytes(x, y)
    case (.ip4(let x), .ip4(let y)): x == y
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.double(let x), .double(let y)): x == y || (x.isNaN && y.isNaN)
    case (.int(let x), .double(let y)), (.double(let y), .int(let x)): Double(x) == y
    case (.mac(let x), .mac(let y)): x == y
    case (.octets(let x), .octets(let y)): x == y
    case (.ip4(let x), .string(let y)), (.string(let y), .ip4(let x)): AddressText.parseIP4(y) == x
    case (.mac(let x), .string(let y)), (.string(let y), .mac(let x)): AddressText.parseMAC(y) == x
    case (.octets, .string(let y)): a.text.map { sameBytes($0, y) } ?? false
    case (.string(let x), .octets): b.text.map { sameBytes($0, x) } ?? false
    case (.array(let x), .array(let y)): x === y || x.values == y.values
    case (.event(let x), .event(let y)): x.origin === y.origin
    case (.map(let x), .map(let y)):
      x.entries.count == y.entries.count && x.entries.allSatisfy { y[$0.key] == $0.value }
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(keyHash(seed: 0)) }

  /// A hash under a seed, equal for equal values. Keys come from the network, so tables pass a random seed.
  public func keyHash(seed: UInt64) -> UInt64 {
    switch self {
    case .null: mix(seed, 0x9e37_79b9)
    case .bool(let value): mix(seed, value ? 3 : 2)
    case .int(let value): mix(seed, UInt64(bitPattern: value))
    case .double(let value):
      if let integer = Int64(exactly: value) { mix(seed, UInt64(bitPattern: integer)) } else { mix(seed, value.bitPattern) }
    case .ip4(let value): mix(seed ^ 4, UInt64(value))
    case .mac(let value): mix(seed ^ 6, value)
    case .octets: text.map { hashText($0, seed: seed, address: false) } ?? seed
    case .string(let value): hashText(value, seed: seed, address: true)
    case .array(let array): array.values.reduce(mix(seed, 11)) { mix($0, $1.keyHash(seed: seed)) }
    case .event(let event): mix(seed, UInt64(UInt(bitPattern: ObjectIdentifier(event.origin).hashValue)))
    case .map(let map): map.entries.reduce(mix(seed, 13)) { $0 ^ $1.value.keyHash(seed: seed) }
    }
  }
}

@inline(__always)
private func sameBytes(_ a: String, _ b: String) -> Bool { a.utf8.count == b.utf8.count && a == b }

/// Text that is an address hashes as the address, since both are one key.
private func hashText(_ text: String, seed: UInt64, address: Bool) -> UInt64 {
  var text = text
  return text.withUTF8 { bytes in
    if address, let first = bytes.first, bytes.count >= 7, bytes.count <= 17 {
      if first >= 48, first <= 57, let ip4 = AddressText.parseIP4(bytes) { return mix(seed ^ 4, UInt64(ip4)) }
      if bytes.count == 17, bytes[2] == 58, let mac = AddressText.parseMAC(String(decoding: bytes, as: UTF8.self)) {
        return mix(seed ^ 6, mac)
      }
    }
    var hash = mix(seed ^ 8, UInt64(bytes.count))
    var index = 0
    let base = UnsafeRawBufferPointer(bytes)
    while index + 8 <= bytes.count {
      hash = mix(hash, base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index += 8
    }
    var last: UInt64 = 0
    while index < bytes.count {
      last = last << 8 | UInt64(bytes[index])
      index += 1
    }
    return mix(hash, last)
  }
}

/// One round of a keyed multiply-and-fold hash.
@inline(__always)
@usableFromInline func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let product = (a ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: b ^ 0xe703_7ed1_a0b4_28db)
  return product.high ^ product.low
}
