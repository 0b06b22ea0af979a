extension Column {
  /// The values of some rows.
  /// - Parameter rows: ascending.
  public func gathering(_ rows: [UInt32]) -> Column {
    let storage: Storage =
      switch storage {
      case .absent: .absent
      case .bools(let values): .bools(gathered(values, rows))
      case .ints(let values): .ints(gathered(values, rows))
      case .doubles(let values): .doubles(gathered(values, rows))
      case .strings(let values): .strings(gathered(values, rows))
      case .ip4(let values): .ip4(gathered(values, rows))
      case .addresses(let values): .addresses(gathered(values, rows))
      case .macs(let values): .macs(gathered(values, rows))
      case .utf8(let memory, let slices): .utf8(memory, gathered(slices, rows))
      case .octets(let memory, let slices): .octets(memory, gathered(slices, rows))
      case .values(let values): .values(gathered(values, rows))
      }
    return Column(storage, nulls: nulls.isEmpty ? [] : gathered(nulls, rows))
  }

  private func gathered<T>(_ values: [T], _ rows: [UInt32]) -> [T] {
    precondition(rows.last.map { $0 < values.count } ?? true, "the last of the rows is there")
    return values.withUnsafeBufferPointer { values in
      rows.withUnsafeBufferPointer { rows in
        [T](unsafeUninitializedCapacity: rows.count) { target, count in
          for index in 0..<rows.count { target.initializeElement(at: index, to: values[Int(rows[index])]) }
          count = rows.count
        }
      }
    }
  }
}
