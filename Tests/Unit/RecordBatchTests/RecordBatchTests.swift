import PluginABI
import RecordBatch
import Testing

@Suite struct NumberTests {
  @Test(
    arguments: [
      ([0x7f], 0x7f, 0x7f), ([0xff], 0xff, -1), ([0x01, 0x02, 0x03], 0x010203, 0x010203), ([0xff, 0xff, 0xfe], 0xfffffe, -2),
      ([0, 0, 0, 0, 0, 1, 0, 0], 65536, 65536),
    ] as [([UInt8], UInt64, Int64)])
  func readsReducedLengths(bytes: [UInt8], unsigned: UInt64, signed: Int64) {
    bytes.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { return }
      #expect(readUnsigned(start, raw.count) == unsigned)
      #expect(readSigned(start, raw.count) == signed)
    }
  }

  @Test func emptyIsZero() {
    let byte: [UInt8] = [9]
    byte.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { return }
      #expect(readUnsigned(start, 0) == 0)
      #expect(readSigned(start, 0) == 0)
      #expect(readFloat(start, 1) == nil)
    }
  }

  @Test(arguments: 1...8) func writesWhatItReads(length: Int) {
    let value: UInt64 = 0x1122_3344_5566_7788 & (length == 8 ? .max : (1 << UInt64(length * 8)) - 1)
    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 1) { raw in
      guard let start = raw.baseAddress else { return }
      writeUnsigned(value, to: start, length)
      #expect(readUnsigned(start, length) == value)
    }
  }

  @Test func ntpTimes() {
    // 1970-01-01T00:00:01.5 in NTP format.
    #expect(millisecondsSince1970(ntp: (ntpEpochOffset + 1) << 32 | 0x8000_0000) == 1500)
  }
}

@Suite struct TemplateTests {
  let variable = UInt16(FLOWCEP_VARIABLE_LENGTH)

  func template() -> Template {
    Template(
      id: 256, kind: .flow,
      fields: [
        .init(enterprise: 0, element: 4, length: 1, type: UInt16(FLOWCEP_UNSIGNED8), name: "protocolIdentifier"),
        .init(enterprise: 39499, element: 2, length: variable, type: UInt16(FLOWCEP_STRING), name: "HTTPRequestURL", aliases: ["httpUrl"]),
        .init(enterprise: 0, element: 82, length: variable, type: UInt16(FLOWCEP_STRING), name: "interfaceName"),
        .init(enterprise: 0, element: 1, length: 4, type: UInt16(FLOWCEP_UNSIGNED64), name: "octetDeltaCount"),
      ])
  }

  @Test func offsetsAndLengths() {
    let held = template()
    let view = held.view
    #expect(view.fields.map(\.offset) == [0, 1, FLOWCEP_NO_OFFSET, FLOWCEP_NO_OFFSET])
    #expect(view.recordLength == 0)
    #expect(view.minimumLength == 7)
    #expect(view.fieldIndex(named: "httpUrl") == 1)
    #expect(view.fieldIndex(named: "iana:octetDeltaCount") == 3)
    #expect(view.fieldIndex(named: "nosuch") == nil)
    #expect(template().raw.pointee.serial != view.serial)
    withExtendedLifetime(held) {}
  }

  @Test func locatesBehindVariableLength() {
    let long = [UInt8](repeating: 7, count: 300)
    let record: [UInt8] = [6, 2, 65, 66, 255, 1, 44] + long + [0, 0, 1, 0]
    let held = template()
    record.withUnsafeBytes { raw in
      guard let start = raw.baseAddress else { return }
      #expect(Array(FieldLocator(held.view, field: 0).bytes(in: start)) == [6])
      #expect(Array(FieldLocator(held.view, field: 1).bytes(in: start)) == [65, 66])
      #expect(Array(FieldLocator(held.view, field: 2).bytes(in: start)) == long)
      #expect(Array(FieldLocator(held.view, field: 3).bytes(in: start)) == [0, 0, 1, 0])
    }
  }
}

@Suite struct BatchStorageTests {
  func batch() -> (BatchStorage, Session) {
    let session = Session(copying: flowcep_session(), name: "test")
    let buffer = Buffer(capacity: 64)
    buffer.bytes.initializeMemory(as: UInt8.self, repeating: 1, count: 64)
    let storage = BatchStorage(kind: .records, buffer: buffer, byteCount: 64)
    var message = flowcep_message()
    message.session = UnsafePointer(session.raw)
    #expect(storage.append(message) == 0)
    let template = Template(id: 256, kind: .flow, fields: [.init(enterprise: 0, element: 4, length: 1, type: 1, name: "p")])
    #expect(storage.index(of: template) == 0)
    #expect(storage.index(of: template) == 0)
    for i in 0..<40 {
      storage.reserveRecords(1)
      (storage.records + i).initialize(to: flowcep_record(offset: UInt32(i), length: 1, template_index: 0, message_index: 0))
      storage.recordCount = i + 1
    }
    return (storage, session)
  }

  @Test func growsAndKeepsRecords() {
    let (storage, session) = batch()
    #expect(storage.view.records.map(\.offset) == (0..<40).map { UInt32($0) })
    #expect(storage.view.template(at: 0).fieldName(0) == "p")
    #expect(storage.view.messages[0].session.map { Session.from($0) === session } == true)
    #expect(BatchStorage.from(UnsafePointer(storage.raw)) === storage)
  }

  @Test func writableIsTheSameWhereNobodyElseHoldsIt() {
    var (storage, _) = batch()
    let before = storage.raw
    #expect(BatchStorage.makeWritable(&storage).raw == before)
  }

  @Test func writableIsACopyWhereSomebodyDoes() {
    var (storage, _) = batch()
    let other = storage
    let copy = BatchStorage.makeWritable(&storage)
    #expect(copy.raw != other.raw)
    copy.buffer?.bytes.storeBytes(of: 9, as: UInt8.self)
    #expect(other.view.bytes.load(as: UInt8.self) == 1)
    #expect(copy.view.records.count == 40)
  }

  @Test func writableIsACopyWhereTheBytesAreShared() {
    var (storage, _) = batch()
    let chosen = storage.copy(records: UnsafeBufferPointer(rebasing: storage.view.records[3..<5]))
    #expect(chosen.view.records.map(\.offset) == [3, 4])
    #expect(BatchStorage.makeWritable(&storage).raw != storage.raw)
  }
}
