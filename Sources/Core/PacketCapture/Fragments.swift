/// Puts fragments of IP packets together (RFC 791, RFC 8200 §4.5). Bounded in number and in time; who is oldest gives way.
struct Fragments {
  struct Key: Hashable {
    let ends: [UInt8]
    let number: UInt32
    /// The protocol of IPv4; 44 for IPv6, where only the first fragment knows it.
    let next: UInt8

    init(_ source: [UInt8], _ destination: [UInt8], _ number: UInt32, _ next: UInt8) {
      (ends, self.number, self.next) = (source + destination, number, next)
    }
  }

  struct Piece {
    var offset: Int
    var isLast: Bool
    var bytes: [UInt8]
    var end: Int { offset + bytes.count }
  }

  private struct Partial {
    var since: UInt64
    var pieces: [Piece] = []
    var byteCount = 0
    /// Where the last piece ends.
    var length: Int?
  }

  private var partials: [Key: Partial] = [:]
  /// In the order of their first pieces; some have become whole since.
  private var order: [Key] = []

  static let most = 1024
  /// Of one packet: fragments of 576 bytes are 119.
  static let mostPieces = 256
  /// RFC 8200: 60 s, and then numbers may come again.
  private static let patience: UInt64 = 60_000_000_000
  private static let longest = 65535 + 40

  /// The packet's bytes where the piece completes it, and how many pieces were given up to take it.
  mutating func add(_ piece: Piece, to key: Key, time: UInt64) -> (whole: [UInt8]?, lost: Int) {
    guard piece.end <= Self.longest, !piece.bytes.isEmpty else { return (nil, 1) }
    var lost = 0
    if let known = partials[key], time > known.since, time - known.since > Self.patience {
      partials[key] = nil
      lost += known.pieces.count
    }
    if partials[key] == nil { lost += makeRoom(for: key, time) }
    var partial = partials[key] ?? Partial(since: time)
    // What has come before is kept: a piece that differs later is no better.
    if partial.pieces.contains(where: { $0.offset == piece.offset && $0.bytes.count >= piece.bytes.count }) { return (nil, lost) }
    guard partial.pieces.count < Self.mostPieces else {
      partials[key] = nil
      return (nil, lost + partial.pieces.count + 1)
    }
    partial.pieces.append(piece)
    partial.byteCount += piece.bytes.count
    if piece.isLast { partial.length = piece.end }
    guard let length = partial.length, partial.byteCount >= length, let whole = Self.join(partial.pieces, length) else {
      partials[key] = partial
      return (nil, lost)
    }
    partials[key] = nil
    return (whole, lost)
  }

  /// How many pieces there are that are of no whole packet.
  mutating func abandon() -> Int {
    defer { partials = [:] }
    return partials.values.reduce(0) { $0 + $1.pieces.count }
  }

  private mutating func makeRoom(for key: Key, _ time: UInt64) -> Int {
    partials[key] = Partial(since: time)
    order.append(key)
    if order.count > 4 * Self.most { order = order.filter { partials[$0] != nil } }
    var lost = 0
    var given = 0
    while partials.count > Self.most, given < order.count {
      lost += partials.removeValue(forKey: order[given])?.pieces.count ?? 0
      given += 1
    }
    order.removeFirst(given)
    return lost
  }

  /// Nil where a part is missing.
  private static func join(_ pieces: [Piece], _ length: Int) -> [UInt8]? {
    var whole: [UInt8] = []
    whole.reserveCapacity(length)
    for piece in pieces.sorted(by: { $0.offset < $1.offset }) {
      guard piece.offset <= whole.count else { return nil }
      if piece.end > whole.count { whole += piece.bytes[(whole.count - piece.offset)...] }
    }
    return whole.count >= length ? Array(whole[..<length]) : nil
  }
}
