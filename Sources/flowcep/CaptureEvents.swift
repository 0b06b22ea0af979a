import Engine
import Glibc
import RecordEvents

/// The flow records of a capture, as events for an engine.
final class CaptureEvents: RecordView {
  private let reader: RecordEventReader
  private let engine: Engine
  /// Called after each message, when its rows are out.
  private let sent: () -> Void
  /// Records that could not be decoded.
  private(set) var faults: UInt64 = 0

  init(_ engine: Engine, _ input: EngineInput, _ schema: RecordSchema, sent: @escaping () -> Void) {
    self.engine = engine
    self.sent = sent
    reader = RecordEventReader(type: input.type, schema: schema, needed: input.properties)
  }

  func show(_ message: CaptureReader.Message) {
    faults += UInt64(message.faults.count)
    engine.send(reader.read(message.batch))
    sent()
  }

  func finish() {}

  /// Whether a file holds messages or packets rather than text: by its first bytes, which no JSON line has.
  static func isCapture(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var head: [UInt8] = [0, 0, 0, 0]
    guard pread(descriptor, &head, 4, 0) == 4 else { return false }
    switch (head[0], head[1], head[2], head[3]) {
    case (0, 5, _, _), (0, 9, _, _), (0, 10, _, _): return true
    // pcap of either byte order and resolution, pcapng.
    case (0xa1, 0xb2, _, _), (0xd4, 0xc3, 0xb2, 0xa1), (0x4d, 0x3c, 0xb2, 0xa1), (0x34, 0xcd, 0xb2, 0xa1), (0x0a, 0x0d, 0x0d, 0x0a):
      return true
    default: return false
    }
  }
}
