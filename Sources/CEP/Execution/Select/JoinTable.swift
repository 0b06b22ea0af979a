internal import Builtins
internal import EventModel
internal import Plan

/// What one source holds, with an index for each set of keys that is searched by.
final class JoinTable {
  private struct Index {
    let expressions: [Expression]
    let keys: [Evaluator]
    var events: [[Value]: EventQueue] = [:]
  }
  private var queue = EventQueue()
  private var indices: [Index] = []

  /// Without index equality the whole is searched.
  var all: [Event] { queue.all }

  func addIndex(_ expressions: [Expression], _ keys: [Evaluator]) -> Int {
    if let index = indices.firstIndex(where: { $0.expressions == expressions }) { return index }
    indices.append(Index(expressions: expressions, keys: keys))
    return indices.count - 1
  }

  func find(_ index: Int, _ key: [Value]) -> [Event] { indices[index].events[key]?.all ?? [] }

  /// The rows, as stream 0, that may have a key: by an index that is made, of those that are there, when it is first asked.
  func rows(_ lookup: RowLookup, _ key: [Value], _ frame: Frame) throws(EvaluationError) -> [Event] {
    let known = indices.count
    let index = addIndex(lookup.rowKeys, lookup.ofRow)
    if index == known { for event in queue.all { try enter(event, index, frame, 0) } }
    return find(index, key)
  }

  func insert(_ event: Event, _ frame: Frame, _ stream: Int) throws(EvaluationError) {
    queue.append(event)
    for index in indices.indices { try enter(event, index, frame, stream) }
  }

  private func enter(_ event: Event, _ index: Int, _ frame: Frame, _ stream: Int) throws(EvaluationError) {
    indices[index].events[try key(index, event, frame, stream), default: EventQueue()].append(event)
  }

  func remove(_ event: Event, _ frame: Frame, _ stream: Int) throws(EvaluationError) {
    queue.remove(event)
    for index in indices.indices {
      let key = try key(index, event, frame, stream)
      indices[index].events[key]?.remove(event)
      if indices[index].events[key]?.isEmpty == true { indices[index].events[key] = nil }
    }
  }

  func replace(_ events: [Event], _ frame: Frame, _ stream: Int) {
    queue.removeAll()
    for index in indices.indices { indices[index].events.removeAll() }
    for event in events { try? insert(event, frame, stream) }
  }

  /// The rows; the indices are made from them.
  func exchange(_ archive: StateArchive, _ frame: Frame, _ stream: Int) {
    archive.queue(&queue)
    if archive.isRestoring { replace(queue.all, frame, stream) }
  }

  private func key(_ index: Int, _ event: Event, _ frame: Frame, _ stream: Int) throws(EvaluationError) -> [Value] {
    frame.events[stream] = event
    return try evaluateAll(indices[index].keys, frame)
  }
}
