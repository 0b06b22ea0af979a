public import PluginABI

/// The one writer of records as JSON: a line for each record, into memory that it owns and uses again.
///
/// Of one thread. Lines end with "\n" and contain no other line break. The first batch of a template prepares a plan; from then
/// on a record takes no memory.
public final class RecordJSONWriter {
  public let options: RecordJSONOptions
  private let tables: Tables
  private var lists: ListWriter
  private var times = TimeWriter()
  private var plans: [UInt64: JSONPlan] = [:]
  /// The plans of the batch at hand, by template index.
  private var current: [JSONPlan.Shape] = []
  private var locations = FieldLocations()
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var used = 0
  private var ends: UnsafeMutablePointer<Int>
  private var endCapacity: Int
  /// How many lines there are in `bytes`.
  public private(set) var lineCount = 0

  /// Templates come and go; a plan is cheap to make again.
  private static let keptPlans = 4096

  public init(options: RecordJSONOptions) {
    self.options = options
    tables = Tables.make()
    lists = ListWriter(options: options, tables: tables)
    (capacity, endCapacity) = (1 << 17, 1024)
    memory = .allocate(capacity: capacity)
    ends = .allocate(capacity: endCapacity)
  }

  deinit {
    memory.deallocate()
    ends.deallocate()
    locations.free()
    tables.free()
  }

  /// What has been written since the last `removeAll`. Valid until the next call that writes.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: used) }

  /// Where each line ends in `bytes`, behind its "\n".
  public var lineEnds: UnsafeBufferPointer<Int> { UnsafeBufferPointer(start: ends, count: lineCount) }

  public func removeAll() { (used, lineCount) = (0, 0) }

  /// Writes a batch's records from index `first` on, until `bytes` holds `limit` bytes or more.
  ///
  /// - Returns: the index of the next record to write; the batch's number of records when all are written.
  public func append(_ batch: UnsafePointer<flowcep_batch>, from first: Int = 0, limit: Int = .max) -> Int {
    let count = Int(batch.pointee.record_count)
    guard first < count, let bytes = batch.pointee.bytes, let records = batch.pointee.records else { return count }
    prepare(batch)
    // Everything that the loop uses is local: members of a class would be read anew for each value.
    var (index, times, locations) = (first, times, locations)
    let (stride, messageStride) = (Int(batch.pointee.record_stride), Int(batch.pointee.message_stride))
    let (tables, drops, messages) = (tables, !options.escapesNonPrintable, UnsafeRawPointer(batch.pointee.messages))
    current.withUnsafeBufferPointer { plans in
      while index < count, used < limit {
        let record = UnsafeRawPointer(records).loadUnaligned(fromByteOffset: index * stride, as: flowcep_record.self)
        let plan = plans[Int(record.template_index)]
        let message = messages.map { $0 + Int(record.message_index) * messageStride }
        if plan.hasLists {
          appendWithLists(record, message, batch, &times)
          index += 1
          continue
        }
        reserve(plan.bound + 6 * Int(record.length))
        let end = plan.write(
          bytes + Int(record.offset), length: Int(record.length), message: message, out: memory + used,
          tables: tables, times: &times, locations: &locations, drops: drops && !plan.isDetection)
        used = end - memory
        ends[lineCount] = used
        lineCount += 1
        index += 1
      }
    }
    (self.times, self.locations) = (times, locations)
    return index
  }

  /// A record with structured data: rare, and allowed to take memory.
  @inline(never)
  private func appendWithLists(
    _ record: flowcep_record, _ message: UnsafeRawPointer?, _ batch: UnsafePointer<flowcep_batch>, _ times: inout TimeWriter
  ) {
    guard let template = batch.pointee.templates[Int(record.template_index)], let bytes = batch.pointee.bytes else { return }
    let record = UnsafeRawBufferPointer(start: bytes + Int(record.offset), count: Int(record.length))
    var line: [UInt8] = []
    let texts = lists.texts(of: template, record, in: batch, times: &times)
    plan(of: template).append(
      record, lists: texts, message: message, tables: tables, times: &times, drops: !options.escapesNonPrintable, to: &line)
    reserve(line.count + 64)
    line.withUnsafeBufferPointer { if let start = $0.baseAddress { (memory + used).update(from: start, count: line.count) } }
    used += line.count
    ends[lineCount] = used
    lineCount += 1
  }

  private func prepare(_ batch: UnsafePointer<flowcep_batch>) {
    current.removeAll(keepingCapacity: true)
    if plans.count > Self.keptPlans { plans.removeAll() }  // before the batch's own are looked up: those live on until the next call
    for index in 0..<Int(batch.pointee.template_count) {
      guard let template = batch.pointee.templates[index] else { continue }
      current.append(plan(of: template).shape)
    }
  }

  private func plan(of template: UnsafePointer<flowcep_template>) -> JSONPlan {
    if let known = plans[template.pointee.serial] { return known }
    let plan = JSONPlan(template, options: options, tables: tables)
    plans[plan.serial] = plan
    return plan
  }

  @inline(__always) private func reserve(_ count: Int) {
    if capacity - used < count || lineCount == endCapacity { grow(count) }
  }

  private func grow(_ count: Int) {
    if capacity - used < count {
      let larger = max(capacity * 2, used + count)
      let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
      moved.update(from: memory, count: used)
      memory.deallocate()
      (memory, capacity) = (moved, larger)
    }
    if lineCount == endCapacity {
      let moved = UnsafeMutablePointer<Int>.allocate(capacity: endCapacity * 2)
      moved.update(from: ends, count: lineCount)
      ends.deallocate()
      (ends, endCapacity) = (moved, endCapacity * 2)
    }
  }
}

/// Texts of the configuration and of templates, for keys.
enum JSONText {
  static func escaped(_ text: String, _ tables: Tables) -> [UInt8] {
    let source = Array(text.utf8)
    return [UInt8](unsafeUninitializedCapacity: source.count * 6 + 16) { buffer, count in
      source.withUnsafeBufferPointer { from in
        guard let start = from.baseAddress, let out = buffer.baseAddress else { return }
        count = TextWriter.text(start, from.count, out, tables, drops: false) - out
      }
    }
  }
}
