public import PluginABI
import PluginKit
import RecordBatch

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  intermediateEntry(hostVersion, TimestampOptions.description) { host, options throws(PluginError) in TimestampPlugin(host, options) }
}

/// Moves times in place, by whole seconds.
final class TimestampPlugin: IntermediatePlugin {
  private let host: Host
  private let isShift: Bool
  /// The times of each template that move, by serial.
  private var fields: [UInt64: [TimeField]] = [:]
  /// How far each session's times move, in seconds; fixed by its first message.
  private var shifts: [UInt64: Int64] = [:]

  private static let keptTemplates = 4096

  init(_ host: Host, _ options: Options) {
    self.host = host
    isShift = options.text("mode") != "timenow"
  }

  func process(_ batch: Batch) throws(PluginError) {
    let now = Int64(host.wallNanoseconds / 1_000_000_000)
    let writable = try host.makeWritable(batch)
    let distances = writable.messages.map { distance(of: $0, now) }
    move(writable, distances, (0..<writable.templateCount).map { fields(of: writable.template(at: $0)) })
    if isShift { moveExportTimes(writable, distances) }
    try host.emit(writable)
  }

  /// - Parameters:
  ///   - distances: in seconds, by message index.
  ///   - fields: what moves, by template index.
  private func move(_ batch: Batch, _ distances: [Int64], _ fields: [[TimeField]]) {
    let bytes = UnsafeMutableRawPointer(mutating: batch.bytes)
    // One flat list for all templates: an array in an array would cost a reference count for each record.
    let fixed = fields.map { $0.compactMap(\.fixed) }
    let flat = fixed.flatMap { $0 }
    let starts = fixed.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    let walked = fields.map { $0.filter { $0.fixed == nil } }
    let isWalking = walked.contains { !$0.isEmpty }
    flat.withUnsafeBufferPointer { flat in
      starts.withUnsafeBufferPointer { starts in
        for record in batch.records {
          let (start, template) = (bytes + Int(record.offset), Int(record.template_index))
          let seconds = UInt64(bitPattern: distances[Int(record.message_index)])
          for index in starts[template]..<starts[template + 1] { flat[index].move(start, by: seconds) }
          if isWalking { for field in walked[template] { field.move(start, by: seconds) } }
        }
      }
    }
  }

  func handle(_ event: Batch) throws(PluginError) {
    if event.kind == .sessionClosed, let session = event.session { shifts[session.pointee.id] = nil }
  }

  /// Seconds by which the times of a message's records move.
  private func distance(of message: flowcep_message, _ now: Int64) -> Int64 {
    let ahead = now - Int64(message.export_time)
    guard isShift else { return ahead }
    let id = message.session?.pointee.id ?? 0
    if let known = shifts[id] { return known }
    shifts[id] = ahead
    return ahead
  }

  private func fields(of template: TemplateView) -> [TimeField] {
    if let known = fields[template.serial] { return known }
    if fields.count >= Self.keptTemplates { fields.removeAll() }
    let moving = isShift ? TimeField.all(template) : TimeField.startAndEnd(template)
    fields[template.serial] = moving
    return moving
  }

  /// Messages move with their records: the clock of a detection never goes past a message's export time.
  private func moveExportTimes(_ batch: Batch, _ distances: [Int64]) {
    let messages = UnsafeMutablePointer(mutating: batch.raw.pointee.messages)
    for (index, distance) in distances.enumerated() {
      guard let message = messages.map({ $0 + index }) else { return }
      message.pointee.export_time &+= UInt32(truncatingIfNeeded: distance)
      let offset = Int(message.pointee.offset)
      guard offset + 16 <= batch.byteCount, readUnsigned(batch.bytes + offset, 2) == 10 else { continue }
      writeUnsigned(UInt64(message.pointee.export_time), to: UnsafeMutableRawPointer(mutating: batch.bytes + offset + 4), 4)
    }
  }
}
