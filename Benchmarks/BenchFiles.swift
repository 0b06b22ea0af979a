import Glibc
import IPFIX
import PluginABI
import RecordBatch
import Synthesis

/// What benchmarks read: captures in `bench-data` in the current folder, made once; git leaves them out.
enum BenchFiles {
  static let records = 3_000_000

  static func folder() throws -> String {
    mkdir("bench-data", 0o755)
    guard let path = realpath("bench-data", nil) else { throw BenchError("cannot make the folder bench-data") }
    defer { free(path) }
    return String(cString: path)
  }

  static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw BenchError("cannot write \(path)") }
    fputs(text, file)
    guard fclose(file) == 0 else { throw BenchError("cannot write \(path)") }
  }

  /// The capture of the table: 3 million records of the mix, 24 in a message.
  static func capture() throws -> String { try capture("capture.ipfix", records: records) }

  /// The same of another length.
  ///
  /// - Parameter seconds: of event time; 0: as long as `flowcep generate` makes it by default.
  static func capture(_ name: String, records: Int, seconds: Int = 0) throws -> String {
    try made(name) { sink in
      var options = SynthesisOptions()
      options.records = records
      if seconds > 0 { options.durationSeconds = seconds }
      _ = try CaptureGenerator(options).write { sink($0) }
    }
  }

  /// The same, no two of its addresses alike.
  static func distinctCapture() throws -> String {
    try made("distinct.ipfix") { sink in
      var options = SynthesisOptions()
      options.records = records
      let session = Session(copying: flowcep_session(), name: "capture")
      let decoder = Decoder(registry: BenchCapture.registry)
      var made: UInt64 = 0
      _ = try CaptureGenerator(options).write { bytes in
        let batch = BenchCapture.batch(of: bytes, decoder, session)
        replaceAddresses(in: batch, &made)
        sink(UnsafeRawBufferPointer(start: batch.view.bytes, count: batch.byteCount))
      }
    }
  }

  /// - Parameter made: how many addresses have been made before.
  private static func replaceAddresses(in batch: BatchStorage, _ made: inout UInt64) {
    let view = batch.view
    let fields = (0..<view.templateCount).map { index in
      view.template(at: index).fields.filter { [8, 12, 27, 28].contains($0.element) }.map { (Int($0.offset), Int($0.length)) }
    }
    for record in view.records {
      let start = UnsafeMutableRawPointer(mutating: view.bytes(of: record))
      for (offset, length) in fields[Int(record.template_index)] {
        made += 1
        // An odd multiplier gives every value once, in 32 bits and in 64.
        if length == 4 {
          writeUnsigned(UInt64(UInt32(truncatingIfNeeded: made) &* 0x9e37_79b1), to: start + offset, 4)
        } else {
          writeUnsigned(made &* 0x9e37_79b9_7f4a_7c15, to: start + offset, 8)
          writeUnsigned(made &* 0xc2b2_ae3d_27d4_eb4f, to: start + offset + 8, 8)
        }
      }
    }
  }

  /// A capture that `PlainCapture` describes.
  static func plain(_ name: String, _ shape: PlainCapture) throws -> String {
    try made(name) { sink in
      for message in 0..<shape.messageCount { shape.message(message).withUnsafeBytes { sink($0) } }
    }
  }

  static func made(_ name: String, _ body: (@escaping (UnsafeRawBufferPointer) -> Void) throws -> Void) throws -> String {
    let path = try folder() + "/" + name
    if access(path, R_OK) == 0 { return path }
    let part = path + ".part"
    guard let file = fopen(part, "w") else { throw BenchError("cannot write \(part)") }
    try body { _ = fwrite($0.baseAddress, 1, $0.count, file) }
    guard fclose(file) == 0, rename(part, path) == 0 else { throw BenchError("cannot write \(path)") }
    return path
  }
}

/// Messages of 24 records whose templates have a number of fields of their own; every message can be made by itself.
struct PlainCapture {
  /// Of each template, alternately: 1 octetDeltaCount and so on, repeated where there are more fields than kinds of them.
  var fields = 10
  var templates = 1
  var records = 500_000
  var isIPv6 = false

  static let recordsPerMessage = 24

  /// Templates come first, so many in a message.
  private static let templatesPerMessage = 8
  private var templateMessages: Int { (templates + Self.templatesPerMessage - 1) / Self.templatesPerMessage }
  var messageCount: Int { templateMessages + records / Self.recordsPerMessage }
  var recordCount: Int { records / Self.recordsPerMessage * Self.recordsPerMessage }

  /// Element and length, in the order of a TCP flow.
  private var layout: [(UInt16, UInt16)] {
    let addresses: [(UInt16, UInt16)] = isIPv6 ? [(27, 16), (28, 16)] : [(8, 4), (12, 4)]
    let kinds: [(UInt16, UInt16)] =
      [(1, 8), (2, 8), addresses[0], addresses[1], (7, 2), (11, 2), (4, 1), (6, 1), (152, 8), (153, 8)]
    return (0..<fields).map { kinds[$0 % kinds.count] }
  }

  func message(_ number: Int) -> [UInt8] {
    number < templateMessages ? templateMessage(number) : dataMessage(number - templateMessages)
  }

  private func templateMessage(_ number: Int) -> [UInt8] {
    var body: [UInt8] = []
    for id in number * Self.templatesPerMessage..<min(templates, (number + 1) * Self.templatesPerMessage) {
      put(UInt16(256 + id), &body)
      put(UInt16(fields), &body)
      for (element, length) in layout {
        put(element, &body)
        put(length, &body)
      }
    }
    return message(set: 2, body, sequence: 0)
  }

  private func dataMessage(_ number: Int) -> [UInt8] {
    var body: [UInt8] = []
    for record in number * Self.recordsPerMessage..<(number + 1) * Self.recordsPerMessage {
      for (_, length) in layout {
        let value = UInt64(record + 1) &* 0x9e37_79b9_7f4a_7c15
        for byte in 0..<Int(length) { body.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * (byte & 7)))) }
      }
    }
    return message(set: UInt16(256 + number % templates), body, sequence: UInt32(number * Self.recordsPerMessage))
  }

  private func message(set: UInt16, _ body: [UInt8], sequence: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    put(UInt16(10), &bytes)
    put(UInt16(20 + body.count), &bytes)
    put(UInt32(1_700_000_000), &bytes)
    put(sequence, &bytes)
    put(UInt32(1), &bytes)
    put(set, &bytes)
    put(UInt16(4 + body.count), &bytes)
    return bytes + body
  }

  private func put<T: FixedWidthInteger>(_ value: T, _ bytes: inout [UInt8]) {
    for byte in (0..<MemoryLayout<T>.size).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
  }
}
