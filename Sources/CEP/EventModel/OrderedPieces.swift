/// Elements in an order, kept in pieces, so that one enters and leaves anywhere without all others moving.
public struct OrderedPieces<Element> {
  /// None is empty, and none has more than `most`.
  private var pieces: [[Element]] = []
  public private(set) var count = 0

  private static var most: Int { 512 }

  /// Where an element is, or would be.
  public struct Place {
    fileprivate var piece: Int
    fileprivate var index: Int
  }

  /// - Parameter elements: in their order.
  public init(_ elements: [Element] = []) {
    count = elements.count
    for start in stride(from: 0, to: count, by: Self.most / 2) {
      pieces.append(Array(elements[start..<min(count, start + Self.most / 2)]))
    }
  }

  public var first: Element? { pieces.first?.first }
  public var last: Element? { pieces.last?.last }
  public var all: [Element] { pieces.count == 1 ? pieces[0] : Array(pieces.joined()) }

  /// The element at a number from the front; nil where there is none.
  public subscript(number: Int) -> Element? {
    guard number >= 0 else { return nil }
    var rest = number
    for piece in pieces {
      if rest < piece.count { return piece[rest] }
      rest -= piece.count
    }
    return nil
  }
  public subscript(place: Place) -> Element { pieces[place.piece][place.index] }

  /// The first place at which `isBehind` holds: it holds for all that follow, too.
  public func firstPlace(where isBehind: (Element) -> Bool) -> Place {
    let piece = Self.first(pieces.count) { isBehind(pieces[$0][pieces[$0].count - 1]) }
    if piece == pieces.count { return Place(piece: max(piece - 1, 0), index: pieces.last?.count ?? 0) }
    return Place(piece: piece, index: Self.first(pieces[piece].count) { isBehind(pieces[piece][$0]) })
  }

  private static func first(_ count: Int, _ isBehind: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBehind(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The first from a place on that is meant, as long as `goesOn` holds.
  public func place(from start: Place, where isMeant: (Element) -> Bool, while goesOn: (Element) -> Bool = { _ in true }) -> Place? {
    var place = start
    while place.piece < pieces.count {
      while place.index < pieces[place.piece].count {
        let element = self[place]
        if isMeant(element) { return place }
        if !goesOn(element) { return nil }
        place.index += 1
      }
      place = Place(piece: place.piece + 1, index: 0)
    }
    return nil
  }
  public var start: Place { Place(piece: 0, index: 0) }

  public mutating func insert(_ element: Element, at place: Place) {
    count += 1
    if pieces.isEmpty { return pieces.append([element]) }
    pieces[place.piece].insert(element, at: place.index)
    guard pieces[place.piece].count > Self.most else { return }
    let half = pieces[place.piece].count / 2
    let rest = Array(pieces[place.piece][half...])
    pieces[place.piece].removeSubrange(half...)
    pieces.insert(rest, at: place.piece + 1)
  }

  @discardableResult
  public mutating func remove(at place: Place) -> Element {
    count -= 1
    let element = pieces[place.piece].remove(at: place.index)
    if pieces[place.piece].isEmpty { pieces.remove(at: place.piece) }
    return element
  }

  public mutating func removeLast() -> Element? {
    guard let last = pieces.last else { return nil }
    return remove(at: Place(piece: pieces.count - 1, index: last.count - 1))
  }

  /// Takes out the first ones while they are meant.
  public mutating func removeFirst(while isMeant: (Element) -> Bool) -> [Element] {
    var taken: [Element] = []
    while let first, isMeant(first) { taken.append(remove(at: start)) }
    return taken
  }

  public mutating func removeAll() {
    pieces.removeAll()
    count = 0
  }
}
