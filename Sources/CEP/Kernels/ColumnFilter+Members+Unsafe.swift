internal import EventModel

extension ColumnFilter {
  /// Keeps the rows whose value (not null) is a member, or is none. False where the column's shape is not known here.
  func member(_ rows: RowSelection, _ column: Column, _ contents: MemberList.Contents, _ wanted: Bool) -> Bool {
    switch (column.storage, contents) {
    case (.ip4(let values), .addresses(let set)):
      values.withUnsafeBufferPointer { values in rows.keep { set.contains(ip4: values[$0]) == wanted } }
    case (.addresses(let values), .addresses(let set)):
      values.withUnsafeBufferPointer { values in rows.keep { set.contains(values[$0]) == wanted } }
    case (.utf8(let memory, let slices), .addresses(let set)):
      rows.keep { row in
        (Address(text: memory[slices[row]].assumingMemoryBound(to: UInt8.self)).map { set.contains($0) } ?? false) == wanted
      }
    case (.utf8(let memory, let slices), .texts(let set)):
      slices.withUnsafeBufferPointer { slices in rows.keep { set.contains(memory[slices[$0]]) == wanted } }
    case (.strings(let values), .addresses(let set)):
      rows.keep { row in (Address(text: values[row]).map { set.contains($0) } ?? false) == wanted }
    case (.strings(let values), .texts(let set)): rows.keep { set.contains(values[$0]) == wanted }
    default: return false
    }
    return true
  }
}
