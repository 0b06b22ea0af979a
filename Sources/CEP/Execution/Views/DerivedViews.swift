internal import Builtins
internal import EventModel
internal import Plan

/// A row of what the events in the window amount to; the row before it leaves.
final class DerivedRowView: View {
  private let kind: DerivedView
  private let values: [Evaluator]
  private let others: [Evaluator]
  private let type: EventType
  private let site: ViewSite
  private var sums = PairSums()
  /// What `others` gave for the newest event.
  private var newest: [Value]
  private var row: Event?

  init(_ kind: DerivedView, values: [Evaluator], others: [Evaluator], type: EventType, site: ViewSite) {
    self.kind = kind
    self.values = values
    self.others = others
    self.type = type
    self.site = site
    newest = Array(repeating: .null, count: others.count)
  }
  override var contents: [Event] { [row ?? makeRow()] }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let before = row ?? makeRow()
    let count = sums.count
    for event in new { try take(event, sign: 1) }
    if let last = new.last, !others.isEmpty { newest = try site.values(others, of: last) }
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
    for path in [\PairSums.x, \.y, \.xx, \.yy, \.xy] { archive.number(&sums[keyPath: path]) }
    if !others.isEmpty { archive.values(&newest) }
    archive.event(&row)
  }

  private func makeRow() -> Event {
    let (x, y) = (sums.ofX, sums.ofY)
    let values: [Value] =
      switch kind {
      case .size: [.int(sums.count)]
      case .uni: [.int(sums.count)] + Self.doubles(x.sum, x.average, x.variance, x.deviation, x.populationDeviation)
      case .weightedAverage: Self.doubles(sums.y == 0 ? .nan : sums.xy / sums.y)
      case .correlation: Self.doubles(sums.count < 2 ? .nan : sums.correlation)
      case .line:
        Self.doubles(sums.slope, y.average - sums.slope * x.average)
          + Self.doubles(x.average, x.populationDeviation, x.deviation, x.sum, x.variance)
          + Self.doubles(y.average, y.populationDeviation, y.deviation, y.sum, y.variance)
          + [.int(sums.count), .int(sums.count)] + Self.doubles(sums.x, sums.xx, sums.xy, sums.y, sums.yy)
      }
    return Event.make(type, time: site.clock.now, values + newest)
  }

  private static func doubles(_ values: Double...) -> [Value] { values.map { .double($0) } }
}

/// Of pairs of numbers x and y, or of x alone.
private struct PairSums {
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

  /// What one of the two amounts to.
  struct Numbers {
    let count: Double
    let sum: Double
    /// Σ (x − average)², not below zero.
    let squares: Double

    var average: Double { count == 0 ? .nan : sum / count }
    var variance: Double { count < 2 ? .nan : squares / (count - 1) }
    var deviation: Double { variance.squareRoot() }
    var populationDeviation: Double { count == 0 ? .nan : (squares / count).squareRoot() }
  }
  var ofX: Numbers { Numbers(count: Double(count), sum: x, squares: max(spread(xx, x, x), 0)) }
  var ofY: Numbers { Numbers(count: Double(count), sum: y, squares: max(spread(yy, y, y), 0)) }

  /// Σ (x − average of x) (y − average of y), and so on.
  private func spread(_ ab: Double, _ a: Double, _ b: Double) -> Double { count == 0 ? .nan : ab - a * b / Double(count) }
  var correlation: Double { spread(xy, x, y) / (spread(xx, x, x) * spread(yy, y, y)).squareRoot() }
  /// Of the line that fits best; NaN where all x are the same.
  var slope: Double {
    let width = spread(xx, x, x)
    return width == 0 ? .nan : spread(xy, x, y) / width
  }
}
