internal import EventModel

/// Two spans of time, a and b, in ms; of a point of time both ends are one.
private struct Spans {
  let a: (start: Int64, end: Int64)
  let b: (start: Int64, end: Int64)
}

/// Relations of spans of time (Allen's), with thresholds: `a.before(b, 1 sec, 5 sec)`.
///
/// The arguments are start and end of both, then the thresholds in ms.
extension Builtins {
  static let intervalFunctions: [ScalarFunction] = [
    interval("before", "whether it ends before the other starts, by so much", 0...2) { gap($0.b.start, $0.a.end, $1, open: true) },
    interval("after", "whether it starts after the other has ended, by so much", 0...2) { gap($0.a.start, $0.b.end, $1, open: true) },
    interval("coincides", "whether both start and end together, within so much", 0...2) { spans, within in
      near(spans.a.start, spans.b.start, within.first ?? 0) && near(spans.a.end, spans.b.end, within.last ?? 0)
    },
    interval("during", "whether it lies within the other", 0...4) { lies($0.a, within: $0.b, $1) },
    interval("includes", "whether the other lies within it", 0...4) { lies($0.b, within: $0.a, $1) },
    interval("overlaps", "whether it starts first and ends within the other", 0...2) { overlaps($0.a, $0.b, $1) },
    interval("overlappedBy", "whether the other starts first and ends within it", 0...2) { overlaps($0.b, $0.a, $1) },
    interval("meets", "whether it ends when the other starts", 0...1) { near($0.a.end, $0.b.start, $1.first ?? 0) },
    interval("metBy", "whether it starts when the other ends", 0...1) { near($0.a.start, $0.b.end, $1.first ?? 0) },
    interval("starts", "whether both start together and it ends first", 0...1) { spans, within in
      near(spans.a.start, spans.b.start, within.first ?? 0) && spans.a.end < spans.b.end
    },
    interval("startedBy", "whether both start together and the other ends first", 0...1) { spans, within in
      near(spans.a.start, spans.b.start, within.first ?? 0) && spans.a.end > spans.b.end
    },
    interval("finishes", "whether both end together and it starts last", 0...1) { spans, within in
      spans.b.start < spans.a.start && near(spans.a.end, spans.b.end, within.first ?? 0)
    },
    interval("finishedBy", "whether both end together and it starts first", 0...1) { spans, within in
      spans.a.start < spans.b.start && near(spans.a.end, spans.b.end, within.first ?? 0)
    },
  ]

  /// The relations by their methods' names.
  public static let intervalMethods = Set(intervalFunctions.map { String($0.name.dropFirst()) })

  /// Between a later and an earlier time: more than nothing, at least the first threshold, at most the second.
  private static func gap(_ late: Int64, _ early: Int64, _ thresholds: [Int64], open: Bool) -> Bool {
    let gap = late &- early
    guard let least = thresholds.first else { return gap > 0 }
    return gap >= least && (thresholds.count < 2 || gap <= thresholds[1])
  }

  private static func near(_ a: Int64, _ b: Int64, _ threshold: Int64) -> Bool { (a &- b).magnitude <= UInt64(max(threshold, 0)) }

  /// One threshold bounds both distances from above, two bound them both, four each of them.
  private static func lies(_ inner: (start: Int64, end: Int64), within outer: (start: Int64, end: Int64), _ thresholds: [Int64]) -> Bool {
    let (start, end) = (inner.start &- outer.start, outer.end &- inner.end)
    guard start > 0, end > 0 else { return false }
    switch thresholds.count {
    case 0: return true
    case 1: return start <= thresholds[0] && end <= thresholds[0]
    case 2: return start >= thresholds[0] && start <= thresholds[1] && end >= thresholds[0] && end <= thresholds[1]
    case 4: return start >= thresholds[0] && start <= thresholds[1] && end >= thresholds[2] && end <= thresholds[3]
    default: return false
    }
  }

  private static func overlaps(_ a: (start: Int64, end: Int64), _ b: (start: Int64, end: Int64), _ thresholds: [Int64]) -> Bool {
    guard a.start < b.start, b.start < a.end, a.end < b.end else { return false }
    let shared = a.end &- b.start
    switch thresholds.count {
    case 0: return true
    case 1: return shared <= thresholds[0]
    default: return shared >= thresholds[0] && shared <= thresholds[1]
    }
  }

  private static func interval(
    _ name: String, _ help: String, _ thresholds: ClosedRange<Int>, _ holds: @escaping @Sendable (Spans, [Int64]) -> Bool
  ) -> ScalarFunction {
    ScalarFunction(
      "." + name, arity: (4 + thresholds.lowerBound)...(4 + thresholds.upperBound), help: help,
      resultType: { types in types.allSatisfy { $0 == .null || $0.isNumeric } ? .boolean : nil }
    ) { arguments in
      let times = arguments.compactMap(\.integer)
      guard times.count == arguments.count else { return .null }
      return .bool(holds(Spans(a: (times[0], times[1]), b: (times[2], times[3])), Array(times.dropFirst(4))))
    }
  }
}
