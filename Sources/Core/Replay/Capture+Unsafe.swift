import Glibc
import IPFIX
import PacketCapture

/// An IPFIX file (RFC 5655: messages one after the other), or a packet capture (pcap, pcapng) of IPFIX, mapped into memory,
/// with its messages found and their lengths checked.
public final class Capture {
  /// Where a message lies in the file.
  public struct Message: Sendable {
    public let offset: Int
    public let length: Int
    /// Seconds since 1970.
    public let exportTime: UInt32
  }

  public let path: String
  public let messages: [Message]
  let bytes: UnsafeRawBufferPointer

  /// - Throws: ``ReplayError`` with the offset at which the file is no IPFIX, or ends in the middle of a message.
  public init(path: String) throws(ReplayError) {
    self.path = path
    let file = try Capture.map(path)
    do throws(ReplayError) {
      if let packets = PacketCapture(file) {
        bytes = try Capture.messages(of: packets, in: file, path: path)
        munmap(UnsafeMutableRawPointer(mutating: file.baseAddress), file.count)
      } else {
        bytes = file
      }
      messages = try Capture.messages(in: bytes, path: path)
    } catch {
      munmap(UnsafeMutableRawPointer(mutating: file.baseAddress), file.count)
      throw error
    }
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  /// The seconds from the first message's export time to the latest.
  public var span: UInt32 {
    guard let first = messages.first, let last = messages.map(\.exportTime).max() else { return 0 }
    return last - min(first.exportTime, last)
  }

  public var byteCount: Int { bytes.count }

  private static func map(_ path: String) throws(ReplayError) -> UnsafeRawBufferPointer {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 { throw ReplayError(description: "cannot read \(path): \(reason(errno))") }
    defer { close(file) }
    var status = stat()
    if fstat(file, &status) != 0 { throw ReplayError(description: "cannot read \(path): \(reason(errno))") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw ReplayError(description: "\(path) is not a file that can be replayed") }
    let count = Int(status.st_size)
    if count == 0 { throw ReplayError(description: "\(path) is empty") }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), start != MAP_FAILED else {
      throw ReplayError(description: "cannot read \(path): \(reason(errno))")
    }
    return UnsafeRawBufferPointer(start: start, count: count)
  }

  /// The IPFIX messages among a packet capture's datagrams, one after another in memory of their own; of all exporters, other traffic
  /// left out.
  private static func messages(
    of packets: PacketCapture, in file: UnsafeRawBufferPointer, path: String
  ) throws(ReplayError) -> UnsafeRawBufferPointer {
    let payloads = packets.datagrams.compactMap { message(in: packets.bytes(of: $0, in: file)) }
    let count = payloads.reduce(0) { $0 + $1.count }
    if count == 0 { throw ReplayError(description: "\(path) is a packet capture without an IPFIX message") }
    guard let start = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED else {
      throw ReplayError(description: "cannot read \(path): \(reason(errno))")
    }
    let memory = UnsafeMutableRawBufferPointer(start: start, count: count)
    var place = 0
    for payload in payloads {
      UnsafeMutableRawBufferPointer(rebasing: memory[place...]).copyBytes(from: payload)
      place += payload.count
    }
    return UnsafeRawBufferPointer(memory)
  }

  /// The message that a datagram is, without what pads it.
  private static func message(in datagram: [UInt8]) -> ArraySlice<UInt8>? {
    guard case .message(let length) = datagram.withUnsafeBytes({ MessageFramer.step($0) }),
      datagram[length...].allSatisfy({ $0 == 0 })
    else { return nil }
    return datagram[..<length]
  }

  private static func messages(in bytes: UnsafeRawBufferPointer, path: String) throws(ReplayError) -> [Message] {
    var messages: [Message] = []
    var offset = 0
    while offset < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      switch MessageFramer.step(rest) {
      case .message(let length):
        let exportTime = UInt32(bigEndian: rest.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        messages.append(Message(offset: offset, length: length, exportTime: exportTime))
        offset += length
      case .needs(let length):
        throw ReplayError(
          description: "\(path) ends in the middle of a message: at offset \(offset) \(length) bytes are needed, \(rest.count) are left")
      case .bad(let fault):
        throw ReplayError(description: "\(path) is no IPFIX file: \(fault) at offset \(offset)")
      }
    }
    return messages
  }
}
