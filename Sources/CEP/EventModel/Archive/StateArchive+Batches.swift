/// Batches, column by column in the shape that they have.
extension StateArchive {
  public func batch(_ batch: inout EventBatch?) {
    var type = isSaving ? batch.map { pool.number(of: $0.type) } ?? 0 : 0
    integer(&type)
    var count = batch?.count ?? 0
    integer(&count)
    var properties = batch?.properties ?? []
    var names = isSaving ? properties.map { batch?.type.properties[$0].name ?? "" } : []
    array(&names, blank: "") { text(&$0) }
    var columns = batch?.columns ?? []
    array(&columns, blank: .absent) { column(&$0) }
    var (times, exportTimes, sessions) = (batch?.times ?? [], batch?.exportTimes ?? [], batch?.sessions ?? [])
    integers(&times)
    integers(&exportTimes)
    integers(&sessions)
    guard isRestoring, failure == nil else { return }
    batch = nil
    // A type that nobody has any more: nobody waits for its events.
    guard let type = pool.type(type) else { return }
    let fits =
      columns.allSatisfy { $0.fits(count) } && [times.count, exportTimes.count, sessions.count].allSatisfy { $0 == 0 || $0 == count }
    guard names.count == columns.count, fits else { return fail("a batch whose columns are of different lengths") }
    properties = names.map { type.index(of: $0) ?? -1 }
    columns = zip(properties, columns).filter { $0.0 >= 0 }.map(\.1)
    batch = EventBatch(
      type: type, count: count, properties: properties.filter { $0 >= 0 }, columns: columns, times: times, exportTimes: exportTimes,
      sessions: sessions)
  }

  private func column(_ column: inout Column) {
    var nulls = column.nulls
    array(&nulls, blank: false) { flag(&$0) }
    var kind = column.kind
    integer(&kind)
    switch (kind, column.storage) {
    case (0, _): column.storage = .absent
    case (1, let storage):
      var items: [Bool] = []
      if case .bools(let own) = storage { items = own }
      array(&items, blank: false) { flag(&$0) }
      column.storage = .bools(items)
    case (2, let storage):
      var items: [Int64] = []
      if case .ints(let own) = storage { items = own }
      integers(&items)
      column.storage = .ints(items)
    case (3, let storage):
      var items: [Double] = []
      if case .doubles(let own) = storage { items = own }
      numbers(&items)
      column.storage = .doubles(items)
    case (4, let storage):
      var items: [UInt32] = []
      if case .ip4(let own) = storage { items = own }
      integers(&items)
      column.storage = .ip4(items)
    case (5, let storage):
      var items: [Address] = []
      if case .addresses(let own) = storage { items = own }
      array(&items, blank: Address(ip4: 0)) { address in
        word(&address.high)
        word(&address.low)
        flag(&address.isIP4)
      }
      column.storage = .addresses(items)
    case (6, let storage):
      var items: [UInt64] = []
      if case .macs(let own) = storage { items = own }
      array(&items, blank: 0) { word(&$0) }
      column.storage = .macs(items)
    case (7, let storage): column.storage = slices(storage, Column.Storage.utf8)
    case (8, let storage): column.storage = slices(storage, Column.Storage.octets)
    case (9, let storage):
      var items: [String] = []
      if case .strings(let own) = storage { items = own }
      array(&items, blank: "") { text(&$0) }
      column.storage = .strings(items)
    case (10, let storage):
      var items: [Value] = []
      if case .values(let own) = storage { items = own }
      values(&items)
      column.storage = .values(items)
    default: fail("a column of an unknown kind")
    }
    column.nulls = nulls
  }

  private func slices(_ storage: Column.Storage, _ make: (SliceMemory, [Slice]) -> Column.Storage) -> Column.Storage {
    var texts: [[UInt8]] = []
    switch storage {
    case .utf8(let memory, let slices), .octets(let memory, let slices): texts = slices.map { Array(memory[$0]) }
    default: break
    }
    array(&texts, blank: []) { octets(&$0) }
    var (bytes, slices): ([UInt8], [Slice]) = ([], [])
    for text in texts {
      slices.append(Slice(offset: Int32(truncatingIfNeeded: bytes.count), length: Int32(truncatingIfNeeded: text.count)))
      bytes += text
    }
    return make(SliceMemory(copying: bytes), slices)
  }
}

extension Column {
  fileprivate var kind: UInt8 {
    switch storage {
    case .absent: 0
    case .bools: 1
    case .ints: 2
    case .doubles: 3
    case .ip4: 4
    case .addresses: 5
    case .macs: 6
    case .utf8: 7
    case .octets: 8
    case .strings: 9
    case .values: 10
    }
  }

  fileprivate func fits(_ count: Int) -> Bool {
    let length: Int
    switch storage {
    case .absent: length = count
    case .bools(let items): length = items.count
    case .ints(let items): length = items.count
    case .doubles(let items): length = items.count
    case .ip4(let items): length = items.count
    case .addresses(let items): length = items.count
    case .macs(let items): length = items.count
    case .utf8(_, let items), .octets(_, let items): length = items.count
    case .strings(let items): length = items.count
    case .values(let items): length = items.count
    }
    return length == count && (nulls.isEmpty || nulls.count == count)
  }
}
