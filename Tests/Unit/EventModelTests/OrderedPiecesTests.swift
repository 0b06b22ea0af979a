import EventModel
import Testing

/// Elements in pieces against a plain array, through 40,000 changes, of few values and of many.
@Suite struct OrderedPiecesTests {
  @Test(arguments: [7, 1_000_000]) func asAnArrayHasThem(_ values: UInt64) {
    var pieces = OrderedPieces<(value: Int, number: Int)>()
    var plain: [(value: Int, number: Int)] = []
    var state: UInt64 = 1
    func next(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    for number in 0..<40_000 {
      // Grows to some thousands, then shrinks again.
      if plain.isEmpty || next(100) < (number < 20_000 ? 70 : 35) {
        let element = (value: Int(next(values)), number: number)
        pieces.insert(element, at: pieces.firstPlace { $0.value > element.value })
        plain.insert(element, at: plain.firstIndex { $0.value > element.value } ?? plain.count)
      } else {
        let index = Int(next(UInt64(plain.count)))
        let meant = plain.remove(at: index)
        let from = pieces.firstPlace { $0.value >= meant.value }
        let place = pieces.place(from: from, where: { $0.number == meant.number }, while: { $0.value == meant.value })
        #expect(place.map { pieces.remove(at: $0).number } == meant.number)
      }
      #expect(pieces.count == plain.count)
      #expect(pieces.first?.number == plain.first?.number && pieces.last?.number == plain.last?.number)
      if number % 997 == 0 {
        #expect(pieces.all.map(\.number) == plain.map(\.number))
        #expect(pieces[plain.count / 2]?.number == (plain.isEmpty ? nil : plain[plain.count / 2].number))
      }
    }
    #expect(pieces.place(from: pieces.start, where: { $0.number < 0 }) == nil)
    #expect(pieces[pieces.count] == nil)
    let copy = OrderedPieces(plain)
    #expect(copy.all.map(\.number) == plain.map(\.number))
    #expect(pieces[-1] == nil)
    #expect(pieces.removeLast()?.number == plain.removeLast().number)
    let bound = plain[plain.count / 3].value
    #expect(pieces.removeFirst { $0.value < bound }.map(\.number) == plain.filter { $0.value < bound }.map(\.number))
    #expect(pieces.all.map(\.number) == plain.filter { $0.value >= bound }.map(\.number))
    pieces.removeAll()
    #expect(pieces.count == 0 && pieces.first == nil && pieces.all.isEmpty)
  }
}
