public import EventModel
import PluginABI
public import RecordBatch

/// Turns batches of flow records into batches of events: only the columns that statements need, straight from the records' bytes.
///
/// Options records describe the exporter, not flows, and give no events.
public final class RecordEventReader {
  private struct Layout {
    /// For each property that is needed, how to read it; nil where the template lacks it.
    var readers: [FieldReader?]
    /// How to read the event's time; nil where only the message's export time is left.
    var time: FieldReader?
    var isFlow: Bool
  }

  private let type: EventType
  private let indices: [Int]
  private let properties: [RecordProperty?]
  private let timeProperties: [RecordProperty]
  /// By the template's serial number; a template is looked up once per batch.
  private var layouts: [UInt64: Layout] = [:]

  /// Flow ends in the order in which they are looked for where a schema names no timestamp: milliseconds, micro-, nanoseconds, seconds.
  public static let flowEnd = [ElementKey(0, 153), ElementKey(0, 155), ElementKey(0, 157), ElementKey(0, 151)]
  private static let layoutLimit = 4096

  /// - Parameters:
  ///   - type: the events' type, declared by a module or built in.
  ///   - needed: the indices of the properties that statements need.
  public init(type: EventType, schema: RecordSchema, needed: [Int]) {
    self.type = type
    indices = needed
    properties = needed.map { schema.property(named: type.properties[$0].name) }
    if let timestamp = type.timestampProperty {
      timeProperties = schema.property(named: type.properties[timestamp].name).map { [$0] } ?? []
    } else {
      timeProperties = Self.flowEnd.map { RecordProperty(elements: [$0], shape: .integer) }
    }
  }

  /// The batch's flow records as events, in their order. Times in ms; an event without a time of its own has its message's export
  /// time.
  public func read(_ batch: Batch) -> EventBatch {
    let layouts = (0..<batch.templateCount).map { layout(batch.template(at: $0)) }
    let runs = runs(batch, layouts)
    let count = runs.reduce(0) { $0 + $1.end - $1.start }
    let filler = ColumnFiller(batch: batch, runs: runs, count: count)
    let columns = properties.indices.map { i in
      properties[i].map { filler.column($0.shape, layouts.map { $0.readers[i] }) } ?? .absent
    }
    var times = [Int64](repeating: 0, count: count)
    var exportTimes = times
    var sessions = [UInt32](repeating: 0, count: count)
    fillTimes(batch, runs, layouts, &times, &exportTimes, &sessions)
    return EventBatch(
      type: type, count: count, properties: indices, columns: columns, times: times, exportTimes: exportTimes, sessions: sessions)
  }

  private func fillTimes(
    _ batch: Batch, _ runs: [RecordRun], _ layouts: [Layout], _ times: inout [Int64], _ exportTimes: inout [Int64],
    _ sessions: inout [UInt32]
  ) {
    let records = batch.records
    let messages = batch.messages
    let bytes = batch.bytes
    var row = 0
    for run in runs {
      let reader = layouts[run.template].time
      for i in run.start..<run.end {
        let message = messages[Int(records[i].message_index)]
        let exportTime = Int64(message.export_time) * 1000
        exportTimes[row] = exportTime
        sessions[row] = message.session.map { UInt32(truncatingIfNeeded: $0.pointee.id) } ?? 0
        times[row] = reader?.integer(bytes + Int(records[i].offset)) ?? exportTime
        row += 1
      }
    }
  }

  private func runs(_ batch: Batch, _ layouts: [Layout]) -> [RecordRun] {
    var runs: [RecordRun] = []
    let records = batch.records
    var start = 0
    while start < records.count {
      let template = records[start].template_index
      var end = start + 1
      while end < records.count, records[end].template_index == template { end += 1 }
      if layouts[Int(template)].isFlow { runs.append(RecordRun(start: start, end: end, template: Int(template))) }
      start = end
    }
    return runs
  }

  private func layout(_ template: TemplateView) -> Layout {
    if let known = layouts[template.serial] { return known }
    func reader(_ property: RecordProperty?) -> FieldReader? {
      guard let property else { return nil }
      for key in property.elements {
        if let index = template.fieldIndex(enterprise: key.enterprise, element: key.element),
          let reader = FieldReader(template, field: index, shape: property.shape)
        { return reader }
      }
      return nil
    }
    let layout = Layout(
      readers: properties.map(reader), time: timeProperties.lazy.compactMap(reader).first, isFlow: template.kind == .flow)
    // Templates come and go with exporters; what is left of the old ones is dropped in one go.
    if layouts.count >= Self.layoutLimit { layouts.removeAll(keepingCapacity: true) }
    layouts[template.serial] = layout
    return layout
  }
}
