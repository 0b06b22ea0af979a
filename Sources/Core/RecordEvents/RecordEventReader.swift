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
  /// Where in `indices` the properties stand that decide whether an event is wanted; nil where all are.
  private let deciding: [Int]?
  private let isTimed: Bool
  /// By the template's serial number; a template is looked up once per batch.
  private var layouts: [UInt64: Layout] = [:]

  /// Flow ends in the order in which they are looked for where a schema names no timestamp: milliseconds, micro-, nanoseconds, seconds.
  public static let flowEnd = [ElementKey(0, 153), ElementKey(0, 155), ElementKey(0, 157), ElementKey(0, 151)]
  private static let layoutLimit = 4096

  /// - Parameters:
  ///   - type: the events' type, declared by a module or built in.
  ///   - needed: the indices of the properties that statements need.
  ///   - deciding: those of them by which events are chosen; nil where all are wanted.
  ///   - isTimed: false where nobody asks when events happened, nor who sent them: under the system's clock.
  public init(type: EventType, schema: RecordSchema, needed: [Int], deciding: [Int]? = nil, isTimed: Bool = true) {
    self.type = type
    self.isTimed = isTimed
    indices = needed
    properties = needed.map { schema.property(named: type.properties[$0].name) }
    self.deciding = deciding.map { deciding in needed.indices.filter { deciding.contains(needed[$0]) } }
    if let timestamp = type.timestampProperty {
      timeProperties = schema.property(named: type.properties[timestamp].name).map { [$0] } ?? []
    } else {
      timeProperties = Self.flowEnd.map { RecordProperty(elements: [$0], shape: .integer) }
    }
  }

  /// The batch's flow records as events, in their order. Times in ms; an event without a time of its own has its message's export
  /// time.
  ///
  /// The events' texts stay in the batch's bytes: they are valid as long as those.
  /// - Parameter choose: told of events that have the deciding properties alone, says which are wanted; nil for all.
  public func read(_ batch: Batch, choosing choose: (EventBatch) -> [UInt32]? = { _ in nil }) -> EventBatch {
    let layouts = (0..<batch.templateCount).map { layout(batch.template(at: $0)) }
    let isFlow = layouts.map(\.isFlow)
    let memory = SliceMemory(UnsafeRawBufferPointer(start: batch.bytes, count: batch.byteCount), owner: self)
    let all = ColumnFiller(rows: RecordRows(batch, isFlow: isFlow), memory: memory)
    let origins = isTimed ? RecordOrigins(batch, isFlow: isFlow) : nil
    let times = origins.map { flowEnds(all, layouts, $0.exportTimes) } ?? []
    func column(_ filler: ColumnFiller, _ place: Int) -> Column {
      properties[place].map { filler.column($0.shape, layouts.map { $0.readers[place] }) } ?? .absent
    }
    func events(_ places: some Sequence<Int>, _ columns: [Column], _ chosen: [UInt32]?) -> EventBatch {
      EventBatch(
        type: type, count: all.rows.count, properties: places.map { indices[$0] }, columns: columns, times: times,
        exportTimes: origins?.exportTimes ?? [], sessions: origins?.sessions ?? [], chosen: chosen)
    }
    guard let deciding else { return events(indices.indices, indices.indices.map { column(all, $0) }, nil) }
    let known = deciding.map { column(all, $0) }
    var chosen = choose(events(deciding, known, nil))
    if chosen?.count == all.rows.count { chosen = nil }
    let filler = chosen.map { ColumnFiller(rows: all.rows.choosing($0), memory: memory) } ?? all
    let columns = indices.indices.map { place in
      guard let number = deciding.firstIndex(of: place) else { return column(filler, place) }
      return chosen.map { known[number].gathering($0) } ?? known[number]
    }
    return events(indices.indices, columns, chosen)
  }

  private func flowEnds(_ filler: ColumnFiller, _ layouts: [Layout], _ exportTimes: [Int64]) -> [Int64] {
    let readers = layouts.map(\.time)
    if readers.allSatisfy({ $0 == nil }) { return exportTimes }
    var (times, isMissing) = filler.integers(readers)
    for row in isMissing.indices where isMissing[row] { times[row] = exportTimes[row] }
    return times
  }

  private func layout(_ template: TemplateView) -> Layout {
    if let known = layouts[template.serial] { return known }
    func reader(_ property: RecordProperty?) -> FieldReader? {
      guard let property else { return nil }
      for key in property.elements {
        if let index = template.fieldIndex(enterprise: key.enterprise, element: key.element),
          let reader = FieldReader(template, field: index, shape: property.shape)
        {
          return reader
        }
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
