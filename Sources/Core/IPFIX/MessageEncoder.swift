/// Builds IPFIX messages (RFC 7011): templates and records in, bytes out. One encoder is one observation domain of one session.
///
///     var encoder = MessageEncoder(observationDomain: 7)
///     encoder.add(TemplateRecord(id: 256, fields: [.init(element: 8, length: 4), .init(element: 2, length: 8)]))
///     encoder.addRecord(template: 256, bytes)
///     let message = encoder.finish(exportTime: 1_523_546_564)
public struct MessageEncoder: Sendable {
  public let observationDomain: UInt32
  /// No message grows longer; at most 65535.
  public let maximumLength: Int
  /// Data records sent so far, modulo 2³²: the next message's sequence number.
  public private(set) var sequence: UInt32
  private var bytes: [UInt8]
  private var recordsInMessage: UInt32 = 0
  /// The set that is open at the end of the message: its id and where its header lies.
  private var openSet: (id: UInt16, start: Int)?

  public init(observationDomain: UInt32 = 0, maximumLength: Int = 1402, sequence: UInt32 = 0) {
    self.observationDomain = observationDomain
    self.maximumLength = min(max(maximumLength, Wire.messageHeader), Int(UInt16.max))
    self.sequence = sequence
    bytes = []
    bytes.reserveCapacity(self.maximumLength)
    begin()
  }

  /// True while there is nothing to send.
  public var isEmpty: Bool { bytes.count == Wire.messageHeader }
  /// Bytes so far, header included.
  public var length: Int { bytes.count }

  /// Adds a template's definition (or withdrawal). False where it does not fit any more: finish the message, then try again.
  @discardableResult
  public mutating func add(_ template: TemplateRecord) -> Bool {
    let record = template.wireBytes
    guard makeRoom(set: template.setID, for: record.count) else { return false }
    bytes += record
    return true
  }

  /// Adds a data record; its bytes are as the template says, length bytes of variable fields included. False where it does not
  /// fit any more.
  @discardableResult
  public mutating func addRecord(template id: UInt16, _ record: [UInt8]) -> Bool {
    guard makeRoom(set: id, for: record.count) else { return false }
    bytes += record
    recordsInMessage &+= 1
    return true
  }

  /// The message, which begins anew with it. Its sequence number is the number of data records in the messages before.
  public mutating func finish(exportTime: UInt32) -> [UInt8] {
    closeSet()
    put(UInt16(bytes.count), at: 2)
    put(UInt16(exportTime >> 16), at: 4)
    put(UInt16(truncatingIfNeeded: exportTime), at: 6)
    let message = bytes
    sequence &+= recordsInMessage
    begin()
    return message
  }

  private mutating func begin() {
    recordsInMessage = 0
    openSet = nil
    bytes.removeAll(keepingCapacity: true)
    append(Wire.version)
    append(0)
    append32(0)
    append32(sequence)
    append32(observationDomain)
  }

  /// Opens a set of that id unless it is the open one already.
  private mutating func makeRoom(set id: UInt16, for count: Int) -> Bool {
    let opened = openSet?.id == id
    guard bytes.count + count + (opened ? 0 : Wire.setHeader) <= maximumLength else { return false }
    if !opened {
      closeSet()
      openSet = (id, bytes.count)
      append(id)
      append(0)
    }
    return true
  }

  private mutating func closeSet() {
    guard let set = openSet else { return }
    put(UInt16(bytes.count - set.start), at: set.start + 2)
    openSet = nil
  }

  private mutating func append(_ value: UInt16) {
    bytes.append(UInt8(value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  private mutating func append32(_ value: UInt32) {
    append(UInt16(value >> 16))
    append(UInt16(truncatingIfNeeded: value))
  }

  private mutating func put(_ value: UInt16, at place: Int) {
    bytes[place] = UInt8(value >> 8)
    bytes[place + 1] = UInt8(truncatingIfNeeded: value)
  }
}
