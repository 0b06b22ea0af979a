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

  /// The same over rows that may be there already.
  func index(_ expressions: [Expression], _ keys: [Evaluator], _ frame: Frame, _ stream: Int) throws(EvaluationError) -> Int {
    let known = indices.count
    let number = addIndex(expressions, keys)
    if number == known { for event in queue.all { try enter(event, number, frame, stream) } }
    return number
  }

  func find(_ index: Int, _ key: [Value]) -> [Event] { indices[index].events[key]?.all ?? [] }

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
