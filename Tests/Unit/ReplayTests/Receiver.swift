import CLinux
import Foundation

/// A socket on a free loopback port that takes in what is sent to it.
final class Receiver: @unchecked Sendable {
  let port: UInt16
  private let descriptor: Int32
  private let done = DispatchSemaphore(value: 0)
  private var received: [UInt8] = []

  init(tcp: Bool) throws {
    let descriptor = socket(AF_INET, Int32((tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    self.descriptor = descriptor
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard bound, !tcp || listen(descriptor, 1) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    port = UInt16(bigEndian: address.sin_port)
    if tcp { Thread.detachNewThread { self.acceptOne() } }
  }

  deinit { close(descriptor) }

  private func acceptOne() {
    let connection = accept(descriptor, nil, nil)
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(connection, &piece, piece.count)
      if count <= 0 { break }
      received += piece[..<count]
    }
    close(connection)
    done.signal()
  }

  /// What the one connection brought, once it has ended.
  func stream() -> [UInt8] {
    done.wait()
    return received
  }

  /// The datagrams that are waiting.
  func datagrams() -> [[UInt8]] {
    var datagrams: [[UInt8]] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &piece, piece.count, Int32(MSG_DONTWAIT))
      if count < 0 { return datagrams }
      datagrams.append(Array(piece[..<count]))
    }
  }
}
