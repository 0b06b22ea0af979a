import Builtins
import EventModel
import Testing

@Suite struct SketchTests {
  private func state(_ name: String, _ types: [ValueType]) throws -> AggregateState {
    try #require(Builtins.aggregates[name]).make(types, [])
  }

  @Test(arguments: [10, 256, 1_000, 100_000]) func distinctWithinThreeErrors(count: Int) throws {
    let state = try state("approxCountDistinct", [.long])
    for i in 0..<count {
      state.enter(.int(Int64(i)), [], time: 0)
      state.enter(.int(Int64(i / 2)), [], time: 0)
    }
    let estimate = Double(try #require(state.value(time: 0).integer))
    // Three standard errors of 1.6 %; exact to 256.
    #expect(abs(estimate - Double(count)) <= (count <= 256 ? 0 : 0.049 * Double(count)))
    state.clear()
    #expect(state.value(time: 0) == .int(0))
  }

  @Test func topKeepsHeavyValues() throws {
    let state = try state("topK", [.int, .int])
    for round in 0..<1000 {
      state.enter(.string("a"), [.int(2)], time: 0)
      if round % 2 == 0 { state.enter(.string("b"), [.int(2)], time: 0) }
      state.enter(.int(Int64(round)), [.int(2)], time: 0)
    }
    let rows = try #require(state.value(time: 0).array)
    #expect(rows.count == 2)
    guard case .map(let first) = rows[0], case .map(let second) = rows[1] else { return #expect(Bool(false)) }
    #expect(first["value"] == .string("a"))
    #expect(second["value"] == .string("b"))
    #expect(abs((first["count"].integer ?? 0) - 1000) <= 2500 / 32)
  }

  /// Of n values with 16·k counters no count is more than n/(16·k) too high, none too low, and no value above that share is missed.
  @Test func topStaysWithinItsBound() throws {
    let state = try state("topK", [.int, .int])
    var counts: [Int64: Int64] = [:]
    let total = 60_000
    for number in 0..<total {
      // A few heavy values among very many light ones.
      let value = number % 3 == 0 ? Int64(number / 3 % 7) : Int64(1000 + number &* 7919 % 20_011)
      counts[value, default: 0] += 1
      state.enter(.int(value), [.int(10)], time: 0)
    }
    let bound = Int64(total / 160)
    let rows = try #require(state.value(time: 0).array)
    var named: Set<Int64> = []
    for case .map(let row) in rows {
      let (value, count) = (row["value"].integer ?? -1, row["count"].integer ?? 0)
      named.insert(value)
      let real = counts[value] ?? 0
      #expect(count >= real && count <= real + bound, "\(value): \(count), really \(real)")
    }
    for (value, count) in counts where count > bound { #expect(named.contains(value), "\(value) is missed") }
  }

  /// Two halves merged say what the whole says, within the same bounds.
  @Test(arguments: ["approxCountDistinct", "topK", "percentile", "entropy"]) func halvesMerge(_ name: String) throws {
    let rest: [Value] = name == "topK" ? [.int(3)] : name == "percentile" ? [.int(90)] : []
    let types: [ValueType] = rest.isEmpty ? [.long] : [.long, .int]
    let (whole, left, right) = (try state(name, types), try state(name, types), try state(name, types))
    for number in 0..<20_000 {
      let value = Value.int(Int64(number % 5 == 0 ? number % 3 : number))
      whole.enter(value, rest, time: 0)
      (number % 2 == 0 ? left : right).enter(value, rest, time: 0)
    }
    #expect(left.merge(right))
    switch name {
    case "topK":
      func values(_ state: AggregateState) -> [Value] {
        (state.value(time: 0).array ?? []).map { if case .map(let row) = $0 { row["value"] } else { .null } }
      }
      #expect(Set(values(left)) == [.int(0), .int(1), .int(2)])
      #expect(Set(values(left)) == Set(values(whole)))
    case "entropy":
      #expect(abs((left.value(time: 0).number ?? 0) - (whole.value(time: 0).number ?? 1)) < 1e-9)
    default: #expect(left.value(time: 0) == whole.value(time: 0))
    }
    #expect(!left.merge(try state("sum", [.int])))
  }

  @Test func percentileForgets() throws {
    let state = try state("percentile", [.double, .int])
    for i in 1...1000 { state.enter(.int(Int64(i)), [.int(95)], time: 0) }
    let high = try #require(state.value(time: 0).number)
    #expect(abs(high - 950) < 950 * 0.011)
    for i in 501...1000 { state.leave(.int(Int64(i)), [.int(95)], time: 0) }
    let low = try #require(state.value(time: 0).number)
    #expect(abs(low - 475) < 475 * 0.011)
  }

  @Test func percentileOfNegativeAndZero() throws {
    let state = try state("percentile", [.double, .int])
    for number in [-10.0, -5, 0, 0, 3] { state.enter(.double(number), [.int(50)], time: 0) }
    #expect(state.value(time: 0) == .double(0))
  }

  @Test func entropyOfEvenAndSingle() throws {
    let state = try state("entropy", [.int])
    for i in 0..<8 { state.enter(.int(Int64(i)), [], time: 0) }
    #expect(abs((state.value(time: 0).number ?? 0) - 3) < 1e-9)
    for i in 1..<8 { state.leave(.int(Int64(i)), [], time: 0) }
    #expect(state.value(time: 0) == .double(0))
  }

  @Test func scoreOfTheNewest() throws {
    let score = try state("zscore", [.int])
    let mean = try state("baseline", [.int])
    for value in [10, 12, 8, 30] as [Int64] {
      score.enter(.int(value), [], time: 0)
      mean.enter(.int(value), [], time: 0)
    }
    #expect(score.value(time: 0) == .double(10))
    #expect(mean.value(time: 0) == .double(10))
    score.leave(.int(10), [], time: 0)
    score.leave(.int(12), [], time: 0)
    #expect(score.value(time: 0) == .null)
  }
}
