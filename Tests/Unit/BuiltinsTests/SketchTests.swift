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
