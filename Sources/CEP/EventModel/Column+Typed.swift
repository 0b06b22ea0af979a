extension Column {
  /// A column of the values in the plainest shape that holds them all: numbers, booleans or strings with their nulls, else the values.
  public static func typed(_ values: [Value]) -> Column {
    guard let first = values.first(where: { !$0.isNull }) else { return .absent }
    let typed: Column? =
      switch first {
      case .int: column(values, Int64(0), Storage.ints) { if case .int(let value) = $0 { value } else { nil } }
      case .double: column(values, 0.0, Storage.doubles) { if case .double(let value) = $0 { value } else { nil } }
      case .bool: column(values, false, Storage.bools) { $0.boolean }
      case .ip4: column(values, UInt32(0), Storage.ip4) { if case .ip4(let value) = $0 { value } else { nil } }
      case .string: column(values, "", Storage.strings) { if case .string(let value) = $0 { value } else { nil } }
      default: nil
      }
    return typed ?? Column(.values(values))
  }

  /// Nil where a value is neither null nor of the kind.
  private static func column<T>(
    _ values: [Value], _ zero: T, _ storage: ([T]) -> Storage, _ plain: (Value) -> T?
  ) -> Column? {
    var plainValues: [T] = []
    plainValues.reserveCapacity(values.count)
    var nulls: [Bool] = []
    for (row, value) in values.enumerated() {
      if let plain = plain(value) {
        plainValues.append(plain)
      } else if value.isNull {
        if nulls.isEmpty { nulls = Array(repeating: false, count: values.count) }
        nulls[row] = true
        plainValues.append(zero)
      } else {
        return nil
      }
    }
    return Column(storage(plainValues), nulls: nulls)
  }
}
