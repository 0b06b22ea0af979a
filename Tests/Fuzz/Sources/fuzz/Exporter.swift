import IPFIX
import InformationElements
import PluginABI
import RecordBatch
import RecordJSON

/// A session that sends whatever the bytes say: datagrams, each behind two bytes of length, then a healthy session's message.
enum Exporter {
  static let registry = ElementRegistry([
    Element(id: 1, name: "octetDeltaCount", type: .unsigned64), Element(id: 2, name: "packetDeltaCount", type: .unsigned64),
    Element(id: 4, name: "protocolIdentifier", type: .unsigned8), Element(id: 7, name: "sourceTransportPort", type: .unsigned16),
    Element(id: 8, name: "sourceIPv4Address", type: .ipv4Address), Element(id: 11, name: "destinationTransportPort", type: .unsigned16),
    Element(id: 12, name: "destinationIPv4Address", type: .ipv4Address), Element(id: 21, name: "flowEndSysUpTime", type: .unsigned32),
    Element(id: 22, name: "flowStartSysUpTime", type: .unsigned32), Element(id: 27, name: "sourceIPv6Address", type: .ipv6Address),
    Element(id: 56, name: "sourceMacAddress", type: .macAddress), Element(id: 82, name: "interfaceName", type: .string),
    Element(id: 152, name: "flowStartMilliseconds", type: .dateTimeMilliseconds),
    Element(id: 153, name: "flowEndMilliseconds", type: .dateTimeMilliseconds),
    Element(id: 154, name: "flowStartMicroseconds", type: .dateTimeMicroseconds),
    Element(id: 160, name: "systemInitTimeMilliseconds", type: .dateTimeMilliseconds),
    Element(id: 276, name: "dataRecordsReliability", type: .boolean), Element(id: 291, name: "basicList", type: .basicList),
    Element(id: 292, name: "subTemplateList", type: .subTemplateList),
    Element(id: 293, name: "subTemplateMultiList", type: .subTemplateMultiList),
    Element(id: 303, name: "informationElementId", type: .unsigned16), Element(id: 311, name: "samplingProbability", type: .float64),
    Element(id: 339, name: "informationElementDataType", type: .unsigned8), Element(id: 341, name: "informationElementName", type: .string),
    Element(id: 346, name: "privateEnterpriseNumber", type: .unsigned32), Element(id: 434, name: "mibObjectValueInteger", type: .signed32),
  ])
  private nonisolated(unsafe) static let writer = RecordJSONWriter(options: json)
  private static let json: RecordJSONOptions = {
    var options = RecordJSONOptions()
    (options.ignoresUnknown, options.detailedInfo, options.timestamp) = (false, true, .iso8601)
    return options
  }()
  private static let healthy: [UInt8] = {
    var encoder = MessageEncoder(observationDomain: 1)
    encoder.add(TemplateRecord(id: 256, fields: [.init(element: 8, length: 4), .init(element: 82, length: Wire.variableLength)]))
    encoder.addRecord(template: 256, [192, 0, 2, 1, 2, 65, 66])
    return encoder.finish(exportTime: 1_700_000_000)
  }()

  static func run(_ input: UnsafeRawBufferPointer, version: UInt8) {
    guard input.count > 3 else { return }
    var options = DecoderOptions()
    (options.addsAbsoluteTimes, options.splitsBiflows) = (input[0] & 1 != 0, input[0] & 2 != 0)
    if input[0] & 4 != 0 { options.templateLifetimeSeconds = 10 }
    let decoder = Decoder(registry: registry, limits: limits, options: options)
    let session = newSession(input[0] & 8 != 0 ? FLOWCEP_TRANSPORT_UDP : FLOWCEP_TRANSPORT_TCP)
    let good = newSession(FLOWCEP_TRANSPORT_UDP)
    decode(healthy, good, decoder, 0)
    var (place, time) = (1, UInt64(1_700_000_000))
    while input.count - place >= 2 {
      let length = min(Int(input[place]) << 8 | Int(input[place + 1]), input.count - place - 2)
      var message = Array(input[(place + 2)..<(place + 2 + length)])
      place += 2 + length
      fit(&message, version)
      decode(message, session, decoder, time)
      time += 4
    }
    decoder.close(session)
    precondition(decode(healthy, good, decoder, time) == 1, "a healthy session is decoded as before")
  }

  /// The fields that decide whether a message is looked at all.
  private static func fit(_ message: inout [UInt8], _ version: UInt8) {
    guard message.count >= 4 else { return }
    (message[0], message[1]) = (0, version)
    if version == 10, message[2] & 0x80 == 0 { (message[2], message[3]) = (UInt8(message.count >> 8), UInt8(message.count & 255)) }
  }

  static let limits: DecoderLimits = {
    var limits = DecoderLimits()
    (limits.domains, limits.templates, limits.fields, limits.waitingBytes) = (4, 16, 256, 4096)
    return limits
  }()

  static func newSession(_ transport: Int) -> Session {
    var description = flowcep_session()
    description.transport = UInt16(transport)
    return Session(copying: description, name: "fuzz")
  }

  /// Decodes, checks that every record lies inside the bytes, and writes them all. Gives their number.
  @discardableResult
  static func decode(_ message: [UInt8], _ session: Session, _ decoder: Decoder, _ seconds: UInt64) -> Int {
    let buffer = Buffer(capacity: message.count)
    buffer.bytes.copyMemory(from: message, byteCount: message.count)
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: message.count)
    let packet = flowcep_packet(session: session.raw, arrival_ns: seconds * 1_000_000_000, offset: 0, length: UInt32(message.count))
    withUnsafePointer(to: packet) { decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: batch) }
    for record in batch.view.records {
      precondition(Int(record.offset) + Int(record.length) <= batch.byteCount, "a record inside the bytes")
      precondition(record.template_index < batch.raw.pointee.template_count && record.message_index < batch.raw.pointee.message_count)
    }
    writer.removeAll()
    var next = 0
    while next < batch.recordCount {
      next = writer.append(batch.raw, from: next, limit: 1 << 20)
      writer.removeAll()
    }
    return batch.recordCount
  }
}

/// Structured data: the bytes are one record's lists, each of one of the three types.
enum Lists {
  private static let prelude: [UInt8] = {
    var encoder = MessageEncoder(maximumLength: 65535)
    let variable = Wire.variableLength
    for (id, element) in [(300, 291), (301, 292), (302, 293)] as [(UInt16, UInt16)] {
      encoder.add(TemplateRecord(id: id, fields: [.init(element: 4, length: 1), .init(element: element, length: variable)]))
    }
    encoder.add(TemplateRecord(id: 256, fields: [.init(element: 8, length: 4), .init(element: 82, length: variable)]))
    encoder.add(TemplateRecord(id: 257, fields: [.init(element: 7, length: 2)]))
    encoder.add(TemplateRecord(id: 258, fields: [.init(element: 291, length: variable), .init(element: 292, length: variable)]))
    return encoder.finish(exportTime: 1)
  }()

  static func run(_ input: UnsafeRawBufferPointer) {
    guard input.count > 1, input.count < 60000 else { return }
    let decoder = Decoder(registry: Exporter.registry)
    let session = Exporter.newSession(FLOWCEP_TRANSPORT_UDP)
    Exporter.decode(prelude, session, decoder, 0)
    var encoder = MessageEncoder(maximumLength: 65535)
    let list = Array(input.dropFirst())
    encoder.addRecord(
      template: 300 + UInt16(input[0] % 3), [6, 255, UInt8(list.count >> 8), UInt8(list.count & 255)] + list)
    precondition(Exporter.decode(encoder.finish(exportTime: 2), session, decoder, 1) == 1, "a list that lies costs no record")
  }
}
