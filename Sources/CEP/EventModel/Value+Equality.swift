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

  /// A hash, equal for equal values, of what `seed` stands for and this value. Keys come from the network: the hash is under a secret of the
  /// process besides.
  public func keyHash(seed: UInt64) -> UInt64 { keyHash(seed: seed, KeyedHash()) }

  /// Under a secret that outlives the process: for what is saved with it.
  public func keyHash(seed: UInt64, _ key: KeyedHash) -> UInt64 {
    switch self {
    case .null: key.step(seed, 0x9e37_79b9)
    case .bool(let value): key.step(seed, value ? 3 : 2)
    case .int(let value): key.step(seed, UInt64(bitPattern: value))
    case .double(let value):
      if let integer = Int64(exactly: value) { key.step(seed, UInt64(bitPattern: integer)) } else { key.step(seed, value.bitPattern) }
    case .ip4(let value): key.step(seed ^ 4, UInt64(value))
    case .mac(let value): key.step(seed ^ 6, value)
    case .octets: Address(self).map { hashAddress($0, seed, key) } ?? text.map { hashText($0, seed, key, address: false) } ?? seed
    case .string(let value): hashText(value, seed, key, address: true)
    case .array(let array): array.values.reduce(key.step(seed, 11)) { key.step($0, $1.keyHash(seed: seed, key)) }
    case .event(let event): key.step(seed, UInt64(UInt(bitPattern: ObjectIdentifier(event.origin).hashValue)))
    // Without regard to the order of the entries, and so that two of one value do not cancel each other out.
    case .map(let map):
      map.entries.reduce(key.step(seed, 13)) { $0 &+ $1.value.keyHash(seed: Value.string($1.key).keyHash(seed: seed, key), key) }
    }
  }
}

@inline(__always)
private func sameBytes(_ a: String, _ b: String) -> Bool { a.utf8.count == b.utf8.count && a == b }

private func hashAddress(_ address: Address, _ seed: UInt64, _ key: KeyedHash) -> UInt64 {
  address.isIP4 ? key.step(seed ^ 4, address.low) : key.step(key.step(seed ^ 5, address.high), address.low)
}

/// Text that is an address hashes as the address, since both are one key.
private func hashText(_ text: String, _ seed: UInt64, _ key: KeyedHash, address: Bool) -> UInt64 {
  var text = text
  return text.withUTF8 { bytes in
    if address, let hash = hashAddressText(bytes, seed, key) { return hash }
    return key.step(seed ^ 8, key.of(UnsafeRawBufferPointer(bytes)))
  }
}

/// Nil for what is no address, or is one in another form than the engine writes: that equals no address.
private func hashAddressText(_ bytes: UnsafeBufferPointer<UInt8>, _ seed: UInt64, _ key: KeyedHash) -> UInt64? {
  guard bytes.count >= 2, bytes.count <= 45 else { return nil }
  if bytes.count <= 15, bytes[0] >= 48, bytes[0] <= 57, let ip4 = AddressText.parseIP4(bytes) { return key.step(seed ^ 4, UInt64(ip4)) }
  guard bytes.prefix(5).contains(58) else { return nil }
  if bytes.count == 17, bytes[2] == 58, let mac = AddressText.parseMAC(String(decoding: bytes, as: UTF8.self)) {
    return key.step(seed ^ 6, mac)
  }
  guard let address = AddressText.parseIP6(bytes), address.value.text.map({ $0.utf8.elementsEqual(bytes) }) == true else { return nil }
  return hashAddress(address, seed, key)
}
