import Foundation
import Glibc
import Sockets

/// An exporter over UDP on loopback, from one port as long as it lives.
final class DatagramExporter {
  private let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)

  deinit { close(descriptor) }

  /// What the collector calls its session, once something has been sent.
  var name: String { "127.0.0.1:\(localAddress(of: descriptor)?.port ?? 0)" }

  /// Sends sets as a message of observation domain 7.
  func send(_ sets: [UInt8], sequence: UInt8, port: String) throws {
    try send(datagram: [0, 10, 0, UInt8(16 + sets.count), 0x65, 0x53, 0xf1, 0, 0, 0, 0, sequence, 0, 0, 0, 7] + sets, port: port)
  }

  /// Sends bytes as they are, be it none.
  func send(datagram message: [UInt8], port: String) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port)?.bigEndian ?? 0
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let count = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, message, message.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard count == message.count else { throw Failure("cannot send to port \(port): \(String(cString: strerror(errno)))") }
  }
}
