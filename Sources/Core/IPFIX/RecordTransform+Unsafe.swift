import InformationElements
import PluginABI
import RecordBatch

/// What a message's times that are relative to the exporter's start count from.
struct Uptime {
  /// The moment of export, in milliseconds since 1970, and the exporter's uptime then, modulo 2³² ms.
  var exportMilliseconds: Int64
  var uptime: UInt32

  init(exportMilliseconds: Int64, uptime: UInt32) {
    (self.exportMilliseconds, self.uptime) = (exportMilliseconds, uptime)
  }

  /// Of an exporter that says when it began.
  init(exportTime: UInt32, systemInit: UInt64) {
    exportMilliseconds = Int64(exportTime) * 1000
    uptime = UInt32(truncatingIfNeeded: exportMilliseconds &- Int64(bitPattern: systemInit))
  }

  /// A time relative to the start as an absolute one: the nearest to the export that fits, for 32 bits wrap every 50 days.
  func absolute(_ time: UInt64) -> UInt64 {
    let distance = Int64(Int32(bitPattern: UInt32(truncatingIfNeeded: time) &- uptime))
    return UInt64(max(0, exportMilliseconds + distance))
  }
}

/// How records of one template become records of others, on request: with absolute times, one direction each.
final class RecordTransform {
  enum Piece {
    /// A field as it is, with its length bytes.
    case field(Int)
    /// A field's time, made absolute.
    case absolute(Int)
  }

  final class Output {
    let template: Template
    let pieces: [Piece]
    /// Fields of which one must not be 0, else there is no such record; none: always.
    let counters: [Int]
    var batchStamp: UInt64 = 0
    var batchIndex: UInt32 = 0

    init(_ template: Template, _ pieces: [Piece], _ counters: [Int]) {
      (self.template, self.pieces, self.counters) = (template, pieces, counters)
    }
  }

  /// Where the exporter's start is known, and where not.
  let outputs: [Output]
  let outputsWithoutTimes: [Output]
  let source: Template
  /// systemInitTimeMilliseconds in the record itself.
  let systemInit: Int?

  /// Nil where records of the template stay as they are.
  init?(_ template: Template, _ described: [Template.Field], _ options: DecoderOptions, _ registry: ElementRegistry) {
    source = template
    // Only the fields are copied, not what lies between them.
    var fields = described
    for index in fields.indices { fields[index].gap = 0 }
    systemInit = fields.firstIndex { $0.enterprise == 0 && $0.element == 160 && $0.length == 8 }
    let directions = options.splitsBiflows ? Direction.split(fields, registry) : nil
    let plain = directions ?? [Direction(fields: fields, sources: Array(fields.indices), counters: [])]
    let timed = options.addsAbsoluteTimes ? plain.map { $0.withAbsoluteTimes(registry) } : plain
    let adds = zip(plain, timed).contains { $0.fields.count != $1.fields.count }
    guard directions != nil || adds else { return nil }
    let id = template.view.id
    outputsWithoutTimes = directions == nil ? [] : plain.map { $0.output(id) }
    outputs = adds ? timed.map { $0.output(id) } : outputsWithoutTimes
  }

  /// The fields of an output, and which fields of the source they come from.
  struct Direction {
    var fields: [Template.Field]
    var sources: [Int]
    var counters: [Int]
    var absolute: Set<Int> = []

    func output(_ id: UInt16) -> Output {
      let pieces = zip(sources, fields.indices).map { absolute.contains($1) ? Piece.absolute($0) : .field($0) }
      return Output(Template(id: id, kind: .flow, fields: fields), pieces, counters)
    }

    /// flowStartSysUpTime and flowEndSysUpTime once more, as flowStartMilliseconds and flowEndMilliseconds.
    func withAbsoluteTimes(_ registry: ElementRegistry) -> Direction {
      var direction = self
      for (relative, absolute) in [(22, 152), (21, 153)] as [(UInt16, UInt16)] {
        guard let field = fields.firstIndex(where: { $0.enterprise == 0 && $0.element == relative }),
          !fields.contains(where: { $0.enterprise == 0 && $0.element == absolute })
        else { continue }
        direction.absolute.insert(direction.fields.count)
        direction.fields.append(TemplateRecord.Field(element: absolute, length: 8).described(by: registry, isScope: false))
        direction.sources.append(sources[field])
      }
      return direction
    }
  }

  // MARK: Running

  /// Puts the outputs of the batch's records from `first` on in their place.
  func apply(from first: Int, _ sink: Sink) {
    let batch = sink.batch
    let records = Array(UnsafeBufferPointer(start: batch.records + first, count: batch.recordCount - first))
    batch.recordCount = first
    let view = source.view
    var starts = [Int](repeating: 0, count: view.fieldCount)
    var values = [Range<Int>](repeating: 0..<0, count: view.fieldCount)
    for record in records {
      // What is appended may move the bytes: asked for anew each time.
      func bytes() -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: batch.view.bytes(of: record), count: Int(record.length))
      }
      locate(bytes(), &starts, &values)
      let uptime = uptime(bytes(), values, sink)
      for output in uptime == nil ? outputsWithoutTimes : outputs where isThere(output, bytes(), values) {
        append(output, record, starts, values, uptime, sink)
      }
      if uptime == nil, outputsWithoutTimes.isEmpty {
        batch.reserveRecords(1)
        batch.records[batch.recordCount] = record
        batch.recordCount += 1
      }
    }
  }

  private func locate(_ bytes: UnsafeRawBufferPointer, _ starts: inout [Int], _ values: inout [Range<Int>]) {
    var end = 0
    for (index, field) in source.view.fields.enumerated() {
      // Gaps belong to no field.
      if field.offset != UInt32.max { end = Int(field.offset) }
      starts[index] = end
      values[index] = fieldRange(field.length, at: end, in: bytes) ?? end..<end
      end = values[index].upperBound
    }
  }

  private func uptime(_ bytes: UnsafeRawBufferPointer, _ values: [Range<Int>], _ sink: Sink) -> Uptime? {
    guard let systemInit else { return sink.uptime }
    return Uptime(exportTime: sink.exportTime, systemInit: Self.number(bytes, values[systemInit]))
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) -> UInt64 {
    bytes[value].suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func isThere(_ output: Output, _ bytes: UnsafeRawBufferPointer, _ values: [Range<Int>]) -> Bool {
    output.counters.isEmpty || output.counters.contains { Self.number(bytes, values[$0]) != 0 }
  }

  private func append(
    _ output: Output, _ record: flowcep_record, _ starts: [Int], _ values: [Range<Int>], _ uptime: Uptime?, _ sink: Sink
  ) {
    let batch = sink.batch
    let length = output.pieces.reduce(0) { length, piece in
      if case .field(let field) = piece { length + values[field].upperBound - starts[field] } else { length + 8 }
    }
    guard let offset = batch.appendBytes(length) else { return }
    if output.batchStamp != sink.stamp {
      output.batchIndex = batch.index(of: output.template)
      output.batchStamp = sink.stamp
    }
    let all = UnsafeRawPointer(batch.raw.pointee.bytes)
    guard let all else { return }
    let from = UnsafeRawBufferPointer(start: all + Int(record.offset), count: Int(record.length))
    var to = UnsafeMutableRawPointer(mutating: all) + offset
    for piece in output.pieces {
      switch piece {
      case .field(let field):
        let bytes = UnsafeRawBufferPointer(rebasing: from[starts[field]..<values[field].upperBound])
        UnsafeMutableRawBufferPointer(start: to, count: bytes.count).copyMemory(from: bytes)
        to += bytes.count
      case .absolute(let field):
        writeUnsigned(uptime.map { $0.absolute(Self.number(from, values[field])) } ?? 0, to: to, 8)
        to += 8
      }
    }
    batch.reserveRecords(1)
    batch.records[batch.recordCount] = flowcep_record(
      offset: UInt32(offset), length: UInt32(length), template_index: output.batchIndex, message_index: record.message_index)
    batch.recordCount += 1
  }
}
