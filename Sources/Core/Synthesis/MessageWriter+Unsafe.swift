/// Packs flows into IPFIX messages of at most 1,402 bytes, one data set per template, and hands them on in large pieces.
///
/// The bytes are written straight into two buffers that live as long as the writer: nothing is allocated per record.
final class MessageWriter {
  /// The largest message: what the exporters of the model capture send (1,500 bytes less encapsulation).
  static let messageLimit = 1402
  private static let headerLength = 16
  private static let pieceLength = 1 << 20

  private let domain: UInt32
  private let sets: UnsafeMutableRawPointer
  private let piece: UnsafeMutableRawPointer
  private let recordLengths = FlowTemplate.all.map(\.recordLength)
  private let pages = Page.allCases.map { Array($0.text.utf8) }
  private var used = [Int](repeating: 0, count: FlowTemplate.all.count)
  private var setOrder: [Int] = []
  private var size = MessageWriter.headerLength
  private var pending: UInt32 = 0
  private var second: UInt32 = 0
  private var filled = 0
  private var nextTemplates: UInt32 = 0
  private let sink: (UnsafeRawBufferPointer) throws -> Void

  private(set) var sequence: UInt32 = 0
  private(set) var messages = 0
  private(set) var bytes = 0

  /// - Parameter sink: takes whole messages, about a megabyte at a time; the memory is valid during the call.
  init(domain: UInt32, sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
    self.domain = domain
    self.sink = sink
    sets = .allocate(byteCount: FlowTemplate.all.count * Self.messageLimit, alignment: 8)
    piece = .allocate(byteCount: Self.pieceLength + 2 * Self.messageLimit, alignment: 8)
    setOrder.reserveCapacity(FlowTemplate.all.count)
  }

  deinit {
    sets.deallocate()
    piece.deallocate()
  }

  /// Adds a flow to the message of `exportSecond`, sending what came before on its way if the flow does not fit.
  func append(_ flow: Flow, exportSecond: UInt32) throws {
    if exportSecond != second {
      try endMessage()
      second = exportSecond
    }
    let set = flow.kind.rawValue + (flow.source.isIPv6 ? 4 : 0)
    let length = recordLengths[set]
    // A set costs its header and up to three bytes of padding.
    var needed = length + (used[set] == 0 ? 7 : 0)
    if size + needed > Self.messageLimit {
      try endMessage()
      needed = length + 7
    }
    if used[set] == 0 { setOrder.append(set) }
    encode(flow, at: sets + set * Self.messageLimit + used[set])
    used[set] += length
    size += needed
    pending += 1
  }

  /// Ends the message under way and hands everything on.
  func finish() throws {
    try endMessage()
    try handOn()
  }

  private func endMessage() throws {
    guard pending > 0 else { return }
    if second >= nextTemplates { writeTemplates() }
    let start = filled
    filled += Self.headerLength
    for set in setOrder {
      let count = used[set]
      let padded = (count + 3) & ~3
      put16(UInt16(256 + set), at: filled)
      put16(UInt16(4 + padded), at: filled + 2)
      (piece + filled + 4).copyMemory(from: sets + set * Self.messageLimit, byteCount: count)
      for i in count..<padded { piece.storeBytes(of: 0, toByteOffset: filled + 4 + i, as: UInt8.self) }
      filled += 4 + padded
      used[set] = 0
    }
    setOrder.removeAll(keepingCapacity: true)
    writeHeader(at: start)
    sequence &+= pending
    pending = 0
    size = Self.headerLength
    if filled >= Self.pieceLength { try handOn() }
  }

  /// Templates go out at the start and again every minute, so that a collector that joins over UDP learns them.
  private func writeTemplates() {
    let start = filled
    let set = FlowTemplate.templateSet
    filled += Self.headerLength + set.count
    UnsafeMutableRawBufferPointer(start: piece + start + Self.headerLength, count: set.count).copyBytes(from: set)
    writeHeader(at: start)
    nextTemplates = second &+ 60
  }

  private func writeHeader(at start: Int) {
    put16(10, at: start)
    put16(UInt16(filled - start), at: start + 2)
    put32(second, at: start + 4)
    put32(sequence, at: start + 8)
    put32(domain, at: start + 12)
    messages += 1
    bytes += filled - start
  }

  private func handOn() throws {
    guard filled > 0 else { return }
    let count = filled
    filled = 0
    try sink(UnsafeRawBufferPointer(start: piece, count: count))
  }

  @inline(__always) private func put16(_ value: UInt16, at offset: Int) {
    piece.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
  }

  @inline(__always) private func put32(_ value: UInt32, at offset: Int) {
    piece.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }
}

extension MessageWriter {
  /// Writes the flow's fields in the order of its template.
  @inline(__always) private func encode(_ flow: Flow, at start: UnsafeMutableRawPointer) {
    var p = start
    @inline(__always) func put<T: FixedWidthInteger>(_ value: T) {
      p.storeBytes(of: value.bigEndian, as: T.self)
      p += MemoryLayout<T>.size
    }
    @inline(__always) func put(_ address: HostAddress) {
      if address.isIPv6 {
        put(address.high)
        put(address.low)
      } else {
        put(UInt32(truncatingIfNeeded: address.low))
      }
    }
    put(flow.octets)
    put(flow.packets)
    put(flow.protocolNumber)
    if flow.kind == .tcp || flow.kind == .http { put(flow.tcpFlags) }
    if flow.kind != .icmp { put(flow.sourcePort) }
    put(flow.source)
    if flow.kind != .icmp { put(flow.destinationPort) }
    put(flow.destination)
    if flow.kind == .icmp { put(flow.icmpTypeCode) }
    put(UInt8(flow.source.isIPv6 ? 6 : 4))
    put(flow.start)
    put(flow.end)
    if flow.kind == .http { write(flow.url, at: p) }
  }

  @inline(__always) private func write(_ url: FlowURL, at p: UnsafeMutableRawPointer) {
    for offset in stride(from: 0, to: FlowTemplate.urlLength, by: 8) { p.storeBytes(of: 0, toByteOffset: offset, as: UInt64.self) }
    switch url {
    case .none: break
    case .page(let page):
      let text = pages[page.rawValue]
      for i in 0..<min(text.count, FlowTemplate.urlLength) { p.storeBytes(of: text[i], toByteOffset: i, as: UInt8.self) }
    case .hashed(let number):
      // A slash and 8 to 56 hexadecimal digits: no page of the background has a login word in it.
      p.storeBytes(of: UInt8(ascii: "/"), as: UInt8.self)
      let words = 1 + Int(number % 7)
      for word in 0..<words {
        let digits = MessageWriter.hexadecimal(UInt32(truncatingIfNeeded: number &>> (8 * UInt64(word))))
        p.storeBytes(of: digits.littleEndian, toByteOffset: 1 + 8 * word, as: UInt64.self)
      }
    }
  }

  /// The eight digits of a number, as eight ASCII bytes in memory order.
  @inline(__always) private static func hexadecimal(_ number: UInt32) -> UInt64 {
    var x = UInt64(number)
    x = (x | x &<< 16) & 0x0000_FFFF_0000_FFFF
    x = (x | x &<< 8) & 0x00FF_00FF_00FF_00FF
    x = (x | x &<< 4) & 0x0F0F_0F0F_0F0F_0F0F
    // A digit above 9 carries into bit 4 when 6 is added, and needs 39 more to be a letter.
    let letters = ((x &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
    return x &+ 0x3030_3030_3030_3030 &+ letters &* 39
  }
}
