import CLinux
import Glibc

/// The other ends of the network's benchmarks, processes of their own: `flowcep-bench peer WHAT …`, for the benchmarks themselves.
enum BenchPeer {
  static func run(_ arguments: [String]) throws {
    switch arguments.first {
    case "drain-udp": try drainDatagrams()
    case "drain-tcp": try drainStreams()
    case "blast": try blast(arguments[1], port: UInt16(arguments[2]) ?? 0)
    case "fill": try fill(arguments[1], bytes: Int(arguments[2]) ?? 0)
    case "exporters":
      try Exporters(arguments[1], port: UInt16(arguments[2]) ?? 0, count: Int(arguments[3]) ?? 1, messages: Int(arguments[4]) ?? 1).run()
    default: throw BenchError("no such peer: \(arguments)")
    }
  }

  private static let batch = 64

  static func socket(_ type: __socket_type) throws -> Int32 {
    let descriptor = Glibc.socket(AF_INET, Int32(type.rawValue), 0)
    guard descriptor >= 0 else { throw BenchError("no socket: \(String(cString: strerror(errno)))") }
    return descriptor
  }

  /// - Parameter host: which of the addresses that begin with 127, all of them this machine's.
  static func loopback<R>(_ port: UInt16, host: UInt32 = 1, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = (0x7f00_0000 + host).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  /// Says which port the system chose.
  private static func listen(_ descriptor: Int32, isStream: Bool) throws {
    guard loopback(0, { bind(descriptor, $0, $1) }) == 0, !isStream || Glibc.listen(descriptor, 16) == 0 else {
      throw BenchError("cannot listen: \(String(cString: strerror(errno)))")
    }
    var (address, length) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    withUnsafeMutablePointer(to: &address) {
      _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    print("port \(UInt16(bigEndian: address.sin_port))")
    fflush(nil)
  }

  // MARK: Readers

  /// Takes datagrams until standard input ends, then says how many there were. Its receive buffer is what the system gives.
  private static func drainDatagrams() throws {
    let descriptor = try socket(SOCK_DGRAM)
    try listen(descriptor, isStream: false)
    let size = 1 << 16
    let memory = UnsafeMutableRawPointer.allocate(byteCount: batch * size, alignment: 64)
    let parts = UnsafeMutablePointer<iovec>.allocate(capacity: batch)
    let headers = UnsafeMutablePointer<flowcep_mmsghdr>.allocate(capacity: batch)
    for index in 0..<batch {
      parts[index] = iovec(iov_base: memory + index * size, iov_len: size)
      headers[index] = flowcep_mmsghdr()
      headers[index].msg_hdr.msg_iov = parts + index
      headers[index].msg_hdr.msg_iovlen = 1
    }
    var (datagrams, bytes, lines) = (0, 0, 0)
    while true {
      let count = Int(flowcep_recvmmsg(descriptor, headers, UInt32(batch), Int32(MSG_DONTWAIT)))
      for index in 0..<max(0, count) {
        let length = Int(headers[index].msg_len)
        bytes += length
        lines += countLines(memory + index * size, length)
      }
      datagrams += max(0, count)
      if count > 0 { continue }
      var waiting = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: 0, events: Int16(POLLIN), revents: 0)]
      poll(&waiting, 2, -1)
      if waiting[0].revents == 0, waiting[1].revents != 0 { break }
    }
    print("datagrams \(datagrams) bytes \(bytes) dropped \(flowcep_socket_drops(descriptor)) lines \(lines)")
  }

  private static func countLines(_ bytes: UnsafeMutableRawPointer, _ length: Int) -> Int {
    var (place, lines) = (0, 0)
    while place < length, let found = memchr(bytes + place, 10, length - place) {
      lines += 1
      place = found - bytes + 1
    }
    return lines
  }

  /// Takes connections one after the other until standard input ends, then says how many lines there were.
  private static func drainStreams() throws {
    let listener = try socket(SOCK_STREAM)
    try listen(listener, isStream: true)
    let size = 1 << 18
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    var lines = 0
    while true {
      var waiting = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0), pollfd(fd: 0, events: Int16(POLLIN), revents: 0)]
      poll(&waiting, 2, -1)
      if waiting[0].revents == 0 { break }
      let descriptor = accept(listener, nil, nil)
      while case let count = read(descriptor, memory, size), count > 0 { lines += countLines(memory, count) }
      close(descriptor)
    }
    print("lines \(lines)")
  }

  // MARK: Bare loops

  /// Appends so many bytes to a new file, in pieces as the collector writes them, and nothing else.
  private static func fill(_ path: String, bytes: Int) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    guard descriptor >= 0 else { throw BenchError("cannot write \(path)") }
    let piece = [UInt8](repeating: 32, count: 1 << 16)
    var left = bytes
    while left > 0 {
      let taken = write(descriptor, piece, min(left, piece.count))
      guard taken > 0 else { throw BenchError("cannot write \(path): \(String(cString: strerror(errno)))") }
      left -= taken
    }
    close(descriptor)
  }

  /// Sends each line of a file as a datagram, many at a call and nothing else; says what CPU time that took.
  private static func blast(_ path: String, port: UInt16) throws {
    let file = open(path, O_RDONLY)
    var status = stat()
    guard file >= 0, fstat(file, &status) == 0, status.st_size > 0,
      let bytes = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0), bytes != MAP_FAILED
    else { throw BenchError("cannot read \(path)") }
    let descriptor = try socket(SOCK_DGRAM)
    var room: Int32 = 1 << 20
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
    _ = loopback(port) { connect(descriptor, $0, $1) }
    var (parts, place) = ([iovec](), 0)
    while place < status.st_size, let end = memchr(bytes + place, 10, status.st_size - place) {
      let length = end - (bytes + place) + 1
      parts.append(iovec(iov_base: bytes + place, iov_len: length))
      place += length
    }
    let count = parts.count
    let headers = UnsafeMutablePointer<flowcep_mmsghdr>.allocate(capacity: batch)
    headers.initialize(repeating: flowcep_mmsghdr(), count: batch)
    let before = Bench.processNanoseconds()
    parts.withUnsafeMutableBufferPointer { parts in
      var next = 0
      while next < count {
        let some = min(batch, count - next)
        for index in 0..<some {
          headers[index].msg_hdr.msg_iov = parts.baseAddress.map { $0 + next + index }
          headers[index].msg_hdr.msg_iovlen = 1
        }
        let sent = Int(flowcep_sendmmsg(descriptor, headers, UInt32(some), 0))
        if sent > 0 { next += sent }
      }
    }
    print("datagrams \(count) nanoseconds \(Bench.processNanoseconds() - before)")
  }
}

/// Many exporters in one process: each has an address and a socket of its own, its templates, and so many messages, which they send in turn.
private struct Exporters {
  private let isTCP: Bool
  private let port: UInt16
  private let count: Int
  private let messages: Int
  /// Over UDP: messages a second, for nothing else holds a sender back.
  private static let rate = 10_000

  init(_ transport: String, port: UInt16, count: Int, messages: Int) {
    (isTCP, self.port, self.count, self.messages) = (transport == "TCP", port, count, messages)
  }

  func run() throws {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let shape = PlainCapture(records: messages * PlainCapture.recordsPerMessage)
    let sockets = try (0..<count).map { number in
      let descriptor = try BenchPeer.socket(isTCP ? SOCK_STREAM : SOCK_DGRAM)
      guard BenchPeer.loopback(0, host: UInt32(number) + 2, { bind(descriptor, $0, $1) }) == 0,
        BenchPeer.loopback(port, { connect(descriptor, $0, $1) }) == 0
      else {
        throw BenchError("cannot connect: \(String(cString: strerror(errno)))")
      }
      return descriptor
    }
    let start = Child.monotonicNanoseconds()
    var sent = 0
    for number in 0..<shape.messageCount {
      let message = shape.message(number)
      for descriptor in sockets {
        var place = 0
        while place < message.count {
          let taken = message.withUnsafeBytes { send(descriptor, $0.baseAddress.map { $0 + place }, $0.count - place, 0) }
          guard taken > 0 else { throw BenchError("cannot send: \(String(cString: strerror(errno)))") }
          place += taken
        }
        sent += 1
        if !isTCP, sent % 64 == 0 { sleep(until: start + sent * 1_000_000_000 / Self.rate) }
      }
    }
    // What TCP has not been told to have arrived is still on its way.
    if isTCP { for descriptor in sockets { while flowcep_unacknowledged(descriptor) > 0 { usleep(1000) } } }
    print("sent \(sent)")
  }

  private func sleep(until due: Int) {
    let left = due - Child.monotonicNanoseconds()
    if left > 0 { usleep(useconds_t(left / 1000)) }
  }
}
