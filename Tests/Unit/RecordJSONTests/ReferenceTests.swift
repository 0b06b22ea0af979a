import COpenSSL
import IPFIX
import InformationElements
import PluginABI
import RecordBatch
import RecordJSON
import TestSupport
import Testing

@Suite("JSON of the sample capture, byte for byte")
struct ReferenceTests {
  /// The elements of the capture's four templates.
  private static let registry = ElementRegistry(
    [
      (1, "octetDeltaCount", .unsigned64), (2, "packetDeltaCount", .unsigned64), (4, "protocolIdentifier", .unsigned8),
      (6, "tcpControlBits", .unsigned16), (7, "sourceTransportPort", .unsigned16), (8, "sourceIPv4Address", .ipv4Address),
      (11, "destinationTransportPort", .unsigned16), (12, "destinationIPv4Address", .ipv4Address), (32, "icmpTypeCodeIPv4", .unsigned16),
      (60, "ipVersion", .unsigned8), (152, "flowStartMilliseconds", .dateTimeMilliseconds),
      (153, "flowEndMilliseconds", .dateTimeMilliseconds),
    ].map { (id: Int, name: String, type: AbstractType) in Element(id: UInt16(id), name: name, type: type) }
      + [Element(enterprise: 39499, id: 2, scope: "flowmon", name: "HTTPRequestURL", type: .string)])

  private func batch(_ capture: [UInt8]) -> BatchStorage {
    let session = Session(copying: flowcep_session(), name: "capture")
    let buffer = Buffer(capacity: capture.count)
    buffer.bytes.copyMemory(from: capture, byteCount: capture.count)
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: capture.count)
    var packets: [flowcep_packet] = []
    var offset = 0
    while offset < capture.count {
      let rest = UnsafeRawBufferPointer(start: buffer.bytes + offset, count: capture.count - offset)
      guard case .message(let length) = MessageFramer.step(rest) else { break }
      packets.append(flowcep_packet(session: session.raw, arrival_ns: 0, offset: UInt32(offset), length: UInt32(length)))
      offset += length
    }
    packets.withUnsafeBufferPointer { Decoder(registry: Self.registry).decode($0, into: batch) }
    return batch
  }

  @Test(.enabled(if: SharedFolder.isPresent, "the reference material is not beside the repository"))
  func reference() {
    let batch = batch(SharedFolder.bytes("data/http-attack.ipfix"))
    #expect(batch.recordCount == 13_898)
    var options = RecordJSONOptions()
    options.formatsTCPFlags = true
    options.namesProtocols = false
    options.escapesNonPrintable = false
    let writer = RecordJSONWriter(options: options)
    #expect(writer.append(batch.raw) == 13_898)
    let first = SharedFolder.bytes("data/http-attack.first-2000.jsonl")
    #expect(writer.bytes.prefix(first.count).elementsEqual(first))
    #expect(writer.bytes.count == 5_882_679)
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_Digest(writer.bytes.baseAddress, writer.bytes.count, &digest, nil, EVP_sha256(), nil)
    let hexadecimal = digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    #expect(hexadecimal == "118a70f1bd99bb0b67409689e68053ac50d30de1a1a93505f096920004f9e904")
  }
}
