import Foundation
import Configuration
import Diagnostics
import IPFIX
import InformationElements
import PluginABI
import RecordBatch
import RecordJSON
import TestSupport

/// Decodes whole messages for a test, and keeps the records as plain values.
final class Decoding {
  struct Record: Equatable {
    var template: UInt16
    var domain: UInt32
    var isOptions: Bool
    var fields: [Field]

    /// The first field's bytes; empty where there is none of that name.
    subscript(name: String) -> [UInt8] { fields.first { $0.name == name }?.bytes ?? [] }
    func number(_ name: String) -> UInt64 { self[name].reduce(0) { $0 << 8 | UInt64($1) } }
    func text(_ name: String) -> String { String(decoding: self[name], as: UTF8.self) }
  }
  struct Field: Equatable {
    var name: String
    var type: UInt16
    var bytes: [UInt8]
  }

  static let shipped: ElementRegistry = {
    var diagnostics = DiagnosticList()
    let folder = SharedFolder.repository.appendingPathComponent("config/elements").path
    return ElementRegistry(ElementFiles.read(ElementFiles.files(in: folder), into: &diagnostics))
  }()

  let session: Session
  let decoder: Decoder
  private(set) var notices: [DecoderNotice] = []
  private(set) var batch = BatchStorage(kind: .records)
  /// When packets arrive, in seconds since 1970.
  var arrivalSeconds: UInt64 = 1_700_000_000

  init(_ transport: Int = FLOWCEP_TRANSPORT_TCP, limits: DecoderLimits = DecoderLimits(), options: DecoderOptions = DecoderOptions()) {
    var description = flowcep_session()
    description.transport = UInt16(transport)
    session = Session(copying: description, name: "test")
    decoder = Decoder(registry: Self.shipped, limits: limits, options: options)
  }

  var counts: DecodeCounts { decoder.counts }

  /// Decodes messages that arrive together.
  @discardableResult
  func decode(_ messages: [UInt8]...) -> [Record] { decode(messages) }

  @discardableResult
  func decode(_ messages: [[UInt8]]) -> [Record] { decode(messages, of: session) }

  /// Decodes messages of another session.
  @discardableResult
  func decode(_ messages: [[UInt8]], of session: Session) -> [Record] {
    feed(messages, of: session)
    return records(of: batch.view)
  }

  /// Decodes messages, and leaves the records in the batch.
  func feed(_ messages: [[UInt8]], of other: Session? = nil) {
    let session = other ?? session
    let buffer = Buffer(capacity: messages.map(\.count).reduce(0, +))
    var packets: [flowcep_packet] = []
    var offset = 0
    for message in messages {
      (buffer.bytes + offset).copyMemory(from: message, byteCount: message.count)
      packets.append(
        flowcep_packet(
          session: session.raw, arrival_ns: arrivalSeconds * 1_000_000_000, offset: UInt32(offset), length: UInt32(message.count)))
      offset += message.count
    }
    batch = BatchStorage(kind: .records, buffer: buffer, byteCount: offset)
    packets.withUnsafeBufferPointer { packets in
      decoder.decode(packets, into: batch) { _, said in notices += said }
    }
  }

  var sessionDecoder: SessionDecoder { decoder.decoder(of: session) }

  /// The last batch as lines of JSON, with nothing left out.
  var json: [String] {
    var options = RecordJSONOptions()
    options.ignoresUnknown = false
    options.prefix = ""
    let writer = RecordJSONWriter(options: options)
    _ = writer.append(batch.raw)
    return String(decoding: writer.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private func records(of batch: Batch) -> [Record] {
    batch.records.map { record in
      let template = batch.template(at: Int(record.template_index))
      let start = batch.bytes(of: record)
      let fields = template.fields.indices.map { index in
        Field(
          name: template.fieldName(index), type: template.fields[index].type,
          bytes: Array(FieldLocator(template, field: index).bytes(in: start)))
      }
      return Record(
        template: template.id, domain: batch.messages[Int(record.message_index)].observation_domain,
        isOptions: template.kind == .options, fields: fields)
    }
  }

  /// The messages of a stream of them.
  static func messages(_ stream: [UInt8]) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var place = 0
    while place < stream.count {
      guard case .message(let length) = stream[place...].withUnsafeBytes({ MessageFramer.step($0) }) else { break }
      messages.append(Array(stream[place..<place + length]))
      place += length
    }
    return messages
  }

  /// The datagrams of a file of `Tests/Data/samples`, of whatever version.
  static func datagrams(_ name: String) throws -> [[UInt8]] {
    let url = SharedFolder.repository.appendingPathComponent("Tests/Data/samples/\(name)")
    return datagrams([UInt8](try Data(contentsOf: url)))
  }

  static func datagrams(_ stream: [UInt8]) -> [[UInt8]] {
    var datagrams: [[UInt8]] = []
    var place = 0
    while place < stream.count {
      guard case .message(let length) = stream[place...].withUnsafeBytes({ DatagramFramer.step($0, atEnd: true) }) else { break }
      datagrams.append(Array(stream[place..<place + length]))
      place += length
    }
    return datagrams
  }

  /// A file of `Tests/Data/samples`.
  static func sample(_ name: String) throws -> [[UInt8]] {
    let url = SharedFolder.repository.appendingPathComponent("Tests/Data/samples/\(name)")
    return messages([UInt8](try Data(contentsOf: url)))
  }
}
