import Glibc
import IPFIX
import PluginABI
import PluginKit

/// Reads files one after another, each a session of its own. A file that cannot be read or followed is reported with the offset,
/// and the next one begins.
final class FileInput: InputPlugin {
  private let host: Host
  private var paths: [String]
  private var source: FileSource?
  private let faulty: Counter
  private var packets: [flowcep_packet] = []

  /// Bytes of a read, and of the buffers that are handed over.
  private static let readSize = 1 << 18

  init(_ host: Host, _ options: Options) {
    self.host = host
    paths = options.texts("file").flatMap { Self.expand($0) }
    faulty = host.lostCounter("faulty-file", help: "Files that could not be read, or not to their end.")
  }

  /// The files that a pattern names, sorted; a path without wildcards names itself, whether it exists or not.
  private static func expand(_ path: String) -> [String] {
    guard path != "-", path.contains(where: { "*?[".contains($0) }), access(path, F_OK) != 0 else { return [path] }
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(path, 0, nil, &found) == 0 else { return [path] }
    return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
  }

  func poll(timeoutMilliseconds: Int) throws(PluginError) -> Bool {
    guard host.stopNanosecondsLeft == nil else {
      if let open = source { end(open) }
      return false
    }
    guard let open = source else { return try openNext() }
    guard open.waitUntilReadable(orStop: host.stopDescriptor, milliseconds: timeoutMilliseconds) else { return true }
    return try read(open)
  }

  func stop() {
    if let open = source { end(open) }
  }

  /// False where there is no further file.
  private func openNext() throws(PluginError) -> Bool {
    guard !paths.isEmpty else { return false }
    let path = paths.removeFirst()
    do throws(FileSource.Failure) {
      let opened = try FileSource(path)
      var description = flowcep_session()
      description.transport = UInt16(FLOWCEP_TRANSPORT_FILE)
      opened.session = try? host.openSession(description, name: opened.name)
      guard opened.session != nil else { throw FileSource.Failure(reason: "the host refused its session") }
      source = opened
    } catch {
      host.log(.error, "cannot read \(path): \(error.reason)")
      faulty.add(1)
    }
    return true
  }

  /// Reads once, and hands over the messages that are whole.
  private func read(_ source: FileSource) throws(PluginError) -> Bool {
    guard let buffer = host.newBuffer(capacity: Self.readSize) else { return true }
    let room = UnsafeMutableRawBufferPointer(start: buffer.bytes, count: buffer.capacity)
    let count: Int
    do throws(FileSource.Failure) {
      count = try source.read(into: room)
    } catch {
      host.release(buffer)
      fault(source, error.reason)
      return true
    }
    let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<count])
    let goesOn = try handOver(source, buffer, bytes)
    if source.hasEnded, self.source != nil {
      let rest = source.pendingCount
      if rest > 0 { fault(source, "ends in the middle of a message, of which it has \(rest) bytes") } else { end(source) }
    }
    return goesOn
  }

  private func handOver(
    _ source: FileSource, _ buffer: flowcep_buffer, _ bytes: UnsafeRawBufferPointer
  ) throws(PluginError) -> Bool {
    let arrival = host.wallNanoseconds
    packets.removeAll(keepingCapacity: true)
    var place = 0
    var bad: MessageFramer.Reason?
    framing: while place < bytes.count {
      switch DatagramFramer.step(UnsafeRawBufferPointer(rebasing: bytes[place...]), atEnd: source.hasEnded) {
      case .message(let length):
        packets.append(
          flowcep_packet(session: source.session, arrival_ns: arrival, offset: UInt32(place), length: UInt32(length)))
        place += length
      case .needs: break framing
      case .bad(let reason):
        bad = reason
        break framing
      }
    }
    source.consumed(place, keeping: UnsafeRawBufferPointer(rebasing: bytes[place...]))
    var goesOn = true
    if packets.isEmpty {
      host.release(buffer)
    } else {
      let sealed = packets
      goesOn = try emit(buffer, sealed)
    }
    if let bad { fault(source, bad.description) }
    return goesOn
  }

  private func emit(_ buffer: flowcep_buffer, _ packets: [flowcep_packet]) throws(PluginError) -> Bool {
    let result = packets.withUnsafeBufferPointer { packets in
      Result { () throws(PluginError) in try host.emit(buffer, packets: packets) }
    }
    return try result.get()
  }

  private func fault(_ source: FileSource, _ reason: String) {
    host.log(.error, "\(source.name): at offset \(source.offset): \(reason)")
    faulty.add(1)
    end(source)
  }

  private func end(_ source: FileSource) {
    if let session = source.session { host.closeSession(session) }
    self.source = nil
  }
}
