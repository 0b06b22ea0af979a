internal import Builtins
internal import EventModel
internal import Plan

/// A row of what the events in the window amount to; the row before it leaves.
final class DerivedRowView: View {
  private let kind: DerivedView
  private let values: [Evaluator]
  private let type: EventType
  private let site: ViewSite
  private var sums = Sums()
  private var row: Event?

  /// Of one value x, or of x and y.
  private struct Sums {
    var count: Int64 = 0
    var x = 0.0
    var y = 0.0
    var xx = 0.0
    var yy = 0.0
    var xy = 0.0

    mutating func add(_ x: Double, _ y: Double, sign: Double) {
      count += sign > 0 ? 1 : -1
      self.x += sign * x
      self.y += sign * y
      xx += sign * x * x
      yy += sign * y * y
      xy += sign * x * y
    }
    /// Σ (x − mean)², and so on.
    private func spread(_ ab: Double, _ a: Double, _ b: Double) -> Double { count == 0 ? .nan : ab - a * b / Double(count) }
    var squares: Double { max(spread(xx, x, x), 0) }
    var correlation: Double { spread(xy, x, y) / (spread(xx, x, x) * spread(yy, y, y)).squareRoot() }
  }

  init(_ kind: DerivedView, values: [Evaluator], type: EventType, site: ViewSite) {
    self.kind = kind
    self.values = values
    self.type = type
    self.site = site
  }
  override var contents: [Event] { [row ?? makeRow()] }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let before = row ?? makeRow()
    let count = sums.count
    for event in new { try take(event, sign: 1) }
    for event in old { try take(event, sign: -1) }
    if kind == .size, sums.count == count { return }
    let after = makeRow()
    row = after
    try pass(new: [after], old: [before])
  }

  private func take(_ event: Event, sign: Double) throws(EvaluationError) {
    if kind == .size { return sums.add(0, 0, sign: sign) }
    let numbers = try site.values(values, of: event).compactMap(\.number)
    if numbers.count == values.count { sums.add(numbers[0], numbers.count > 1 ? numbers[1] : 0, sign: sign) }
  }

  override func exchange(_ archive: StateArchive) {
    archive.integer(&sums.count)
    for path in [\Sums.x, \.y, \.xx, \.yy, \.xy] { archive.number(&sums[keyPath: path]) }
    archive.event(&row)
  }

  private func makeRow() -> Event {
    let count = Double(sums.count)
    let values: [Value] =
      switch kind {
      case .size: [.int(sums.count)]
      case .uni:
        [
          .int(sums.count), .double(sums.x), .double(sums.count == 0 ? .nan : sums.x / count),
          .double(sums.count < 2 ? .nan : sums.squares / (count - 1)),
          .double(sums.count < 2 ? .nan : (sums.squares / (count - 1)).squareRoot()),
          .double(sums.count == 0 ? .nan : (sums.squares / count).squareRoot()),
        ]
      case .weightedAverage: [.double(sums.y == 0 ? .nan : sums.xy / sums.y)]
      case .correlation: [.double(sums.count < 2 ? .nan : sums.correlation)]
      }
    return Event.make(type, time: site.clock.now, values)
  }
}
