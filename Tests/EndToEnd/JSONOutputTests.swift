import Foundation
import Glibc
import TestSupport
import Testing

@Suite("JSON output", .serialized) struct JSONOutputTests {
  private static let reference = "<tcpFlags>formated</tcpFlags><protocol>raw</protocol><nonPrintableChar>no</nonPrintableChar>"

  private static func json(_ output: String, options: String = "") -> String { "<json>\(options)<output>\(output)</output></json>" }

  /// A UDP port that nobody has: one that the system has just given and taken back.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  @Test("UDP: a record in each datagram, line end included; ipfixcol's way to say it")
  func datagrams() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let receiver = try DatagramReceiver()
    let output =
      "<fileWriter><fileFormat>json</fileFormat>\(Self.reference)<output><type>send</type><ip>127.0.0.1</ip><port>\(receiver.port)</port><protocol>udp</protocol></output></fileWriter>"
    let ledger = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder).ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 4000)
    let expected = try OutputFixture.lines(capture.path, options: Self.reference)
    let received = receiver.take(4000)
    #expect(received.map { String(decoding: $0, as: UTF8.self) } == expected.map { $0 + "\n" })
  }

  @Test("UDP: several records in a datagram, whole lines only, and but for spaces before a line end as they are")
  func filledDatagrams() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    // A small buffer, too: what goes through the kernel together must not overrun it.
    for buffer in [1 << 20, 64 << 10] as [Int32] {
      let receiver = try DatagramReceiver(buffer: buffer)
      let output = Self.json(
        "<type>send</type><port>\(receiver.port)</port><datagramSize>1400</datagramSize><maximumRate>20000</maximumRate>")
      let ledger = try Collector(OutputFixture.configuration(output, file: capture.path), folder: try TemporaryFolder()).ended()
      #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 4000)
      var (received, lines) = ([[UInt8]](), 0)
      while lines < 4000, let datagram = receiver.take(1).first {
        #expect(datagram.count <= 1400 && datagram.last == 10)
        received.append(Array(datagram))
        lines += datagram.count { $0 == 10 }
      }
      #expect(received.joined().split(separator: 10).map(Self.withoutPadding) == (try OutputFixture.lines(capture.path)))
      for datagram in received {
        #expect(datagram.split(separator: 10).dropLast().allSatisfy { $0.last == UInt8(ascii: "}") }, "only the last line is padded")
      }
    }
  }

  private static func withoutPadding(_ line: some Collection<UInt8>) -> String {
    var text = String(decoding: line, as: UTF8.self)
    while text.last == " " { text.removeLast() }
    return text
  }

  @Test("UDP: padded, a record in each datagram, equally long in each piece")
  func paddedDatagrams() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let receiver = try DatagramReceiver()
    let output = Self.json("<type>send</type><port>\(receiver.port)</port><padded>yes</padded>")
    let ledger = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder).ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 4000)
    let received = receiver.take(4000)
    let expected = try OutputFixture.lines(capture.path)
    #expect(received.allSatisfy { $0.last == 10 && $0.count { $0 == 10 } == 1 })
    #expect(received.map { Self.withoutPadding($0.dropLast()) } == expected)
    // Were none of them padded, there would be as many lengths.
    #expect(Set(received.map(\.count)).count < Set(expected.map(\.utf8.count)).count / 2)
  }

  @Test("UDP: padded while the queue fills and would drop; never where records wait, or where padding is not wanted")
  func paddedUnderPressure() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 40_000)
    let expected = try OutputFixture.lines(capture.path)
    for (policy, padded, isPadded) in [("drop", "", true), ("drop", "<padded>no</padded>", false), ("block", "", false)] {
      let receiver = try DatagramReceiver(buffer: 8 << 20)
      let output = Self.json("<type>send</type><port>\(receiver.port)</port><maximumRate>200000</maximumRate>\(padded)")
      let queue = "<queue><policy>\(policy)</policy><bytes>1 MiB</bytes></queue>"
      let configuration = OutputFixture.configuration(output, file: capture.path, queue: queue)
      let ledger = try Collector(configuration, folder: try TemporaryFolder()).ended()
      let account = try #require(ledger["output", "out/test"])
      #expect(ledger.closes && (policy == "block") == (account.delivered == 40_000))
      let received = receiver.take(account.delivered)
      let withSpaces = received.count { $0.dropLast().last == UInt8(ascii: " ") }
      #expect(isPadded ? withSpaces > 1000 : withSpaces == 0)
      #expect(account.numbers["padded"] ?? 0 >= withSpaces && (account.numbers["padded"] ?? 0 > 0) == isPadded)
      #expect(Set(received.map { Self.withoutPadding($0.dropLast()) }).isSubset(of: expected))
    }
  }

  @Test("UDP: a line longer than datagramSize goes by itself and as it is")
  func longLines() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let receiver = try DatagramReceiver()
    let output = Self.json("<type>send</type><port>\(receiver.port)</port><datagramSize>100</datagramSize>")
    let ledger = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder).ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 4000)
    #expect(receiver.take(4000).map { String(decoding: $0, as: UTF8.self) } == (try OutputFixture.lines(capture.path).map { $0 + "\n" }))
  }

  @Test("UDP: a receiver with a small buffer on this machine gets every datagram; one that never reads holds nothing up")
  func slowReceivers() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 20_000)
    let receiver = try DatagramReceiver(buffer: 16 << 10)
    let output = Self.json("<type>send</type><port>\(receiver.port)</port>")
    let ledger = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder).ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.numbers["receiver-dropped"] ?? 0 == 0)
    #expect(receiver.take(20_000).map { String(decoding: $0.dropLast(), as: UTF8.self) } == (try OutputFixture.lines(capture.path)))

    let deaf = try DatagramReceiver(buffer: 16 << 10, isRead: false)
    let other = Self.json("<type>send</type><port>\(deaf.port)</port>")
    let collector = try Collector(OutputFixture.configuration(other, file: capture.path), folder: try TemporaryFolder())
    let second = try collector.ended()
    #expect(second.closes && second["output", "out/test"]?.delivered == 20_000)
    #expect(second["output", "out/test"]?.numbers["receiver-dropped"] ?? 0 > 15_000)
    #expect(collector.process.errorText.contains("had no room for some datagrams"))
  }

  @Test("several outputs of one destination: each has an account of its own")
  func severalOutputs() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let gone = try LineReceiver(file: folder.path + "/gone")
    try gone.end()
    let output =
      "<json><output><type>file</type><path>\(folder.path)/lines</path><name>all</name></output>"
      + "<output><type>send</type><protocol>TCP</protocol><port>\(gone.port)</port></output></json>"
    let collector = try Collector(OutputFixture.configuration(output), folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(capture.bytes[...])
    exporter.finish()
    try collector.process.waitForErrorLine(": closed")
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["output", "out/test"]?.delivered == 4000)
    #expect(ledger["output", "out/test", to: "file \(folder.path)/lines"]?.delivered == 4000)
    #expect(ledger["output", "out/test", to: "tcp 127.0.0.1:\(gone.port)"]?.dropped("peer-away") == 4000)
    #expect(OutputFixture.lineCount(ofFile: folder.path + "/lines/all") == 4000)
  }

  @Test("UDP to a port where nobody listens is a warning and a count")
  func nobodyListens() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let port = try Self.freePort()
    let output = Self.json("<type>send</type><port>\(port)</port>")
    let collector = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder)
    let ledger = try collector.ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 4000)
    #expect(ledger["output", "out/test"]?.numbers["connection-refused"] ?? 0 > 0)
    #expect(collector.process.errorText.contains("nobody listens at 127.0.0.1:\(port)"))
  }

  @Test("TCP client")
  func tcp() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 5000)
    let receiver = try LineReceiver(file: folder.path + "/received")
    let output = Self.json("<type>send</type><port>\(receiver.port)</port><protocol>TCP</protocol>")
    let ledger = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder).ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 5000)
    #expect(OutputFixture.lines(ofFile: receiver.file) == (try OutputFixture.lines(capture.path)))
  }

  @Test("TCP server: every client gets every record from when it connected; without clients they are dropped and counted")
  func server() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 5000)
    let collector = try Collector(OutputFixture.configuration(Self.json("<type>server</type><port>0</port>")), folder: folder)
    let port = String(try collector.process.waitForErrorLine("serving JSON lines on ").split(separator: ":").last ?? "")
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(capture.bytes[..<capture.middle])
    let clients = try (0..<3).map { _ in try LineClient(port: port) }
    for _ in clients { try collector.process.waitForErrorLine(" connected") }
    try OutputFixture.wait(for: "three clients") {
      collector.process.errorLines.count { $0.contains("client ") && $0.hasSuffix(" connected") } == 3
    }
    try exporter.send(capture.bytes[capture.middle...])
    exporter.finish()
    try collector.process.waitForErrorLine(": closed")
    let ledger = try collector.stop()
    let account = ledger["output", "out/test"]
    #expect(ledger.closes && account?.received == 5000)
    let expected = try OutputFixture.lines(capture.path)
    for client in clients {
      let lines = client.rest()
      #expect(lines.count > 2000 && lines == Array(expected.suffix(lines.count)))
      #expect(lines.count <= account?.delivered ?? 0)
    }
  }

  @Test("files: name from prefix and window; a full disk is counted and not fatal")
  func files() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let output = Self.json("<type>file</type><path>@FOLDER@/out/%Y</path><prefix>flows.</prefix>")
    let collector = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder)
    #expect(try collector.ended().closes)
    let year = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out").first)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/out/" + year)
    #expect(names.allSatisfy { $0.wholeMatch(of: /flows\.\d{11}[05]/) != nil })
    #expect(try collector.lines(ofFiles: "out/\(year)/flows.") == OutputFixture.lines(capture.path))
    let full = Self.json("<type>file</type><path>/dev</path><name>full</name><dumpInterval><timeWindow>0</timeWindow></dumpInterval>")
    let ledger = try Collector(OutputFixture.configuration(full, file: capture.path), folder: try TemporaryFolder()).ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.dropped("disk-full") == 4000)
  }

  @Test("files: one long enough to be written to the disk as it grows, which began with lines of an earlier run")
  func longFile() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 60_000)
    let output = Self.json("<type>file</type><path>@FOLDER@</path><name>long</name><dumpInterval><timeWindow>0</timeWindow></dumpInterval>")
    let configuration = OutputFixture.configuration(output, file: capture.path)
    for _ in 0..<2 { #expect(try Collector(configuration, folder: folder).ended()["output", "out/test"]?.delivered == 60_000) }
    let lines = try OutputFixture.lines(capture.path)
    #expect(lines.reduce(0) { $0 + $1.utf8.count } > 16 << 20)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/long")) == Data((lines + lines).map { $0 + "\n" }.joined().utf8))
  }
}

/// A UDP socket that is read all the time.
final class DatagramReceiver: @unchecked Sendable {
  let port: Int
  private let descriptor: Int32
  private let lock = NSCondition()
  private var datagrams: [[UInt8]] = []

  init(buffer size: Int32 = 4 << 20, isRead: Bool = true) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    self.descriptor = descriptor
    var size = size
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    guard status == 0 else { throw Failure("no UDP socket: \(String(cString: strerror(errno)))") }
    port = Int(UInt16(bigEndian: address.sin_port))
    guard isRead else { return }
    Thread.detachNewThread { [weak self, lock] in
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        let size = recv(descriptor, &buffer, buffer.count, 0)
        // An empty datagram is ours: it ends the thread.
        if size <= 0 { break }
        lock.lock()
        self?.datagrams.append(Array(buffer[..<size]))
        lock.broadcast()
        lock.unlock()
      }
      close(descriptor)
    }
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// The next datagrams; fewer where they do not come.
  func take(_ count: Int) -> [[UInt8]] {
    lock.lock()
    defer { lock.unlock() }
    let deadline = Date(timeIntervalSinceNow: 30)
    while datagrams.count < count, lock.wait(until: deadline) {}
    let taken = Array(datagrams.prefix(count))
    datagrams.removeFirst(taken.count)
    return taken
  }
}

/// A client of the JSON output's server.
final class LineClient: @unchecked Sendable {
  private let descriptor: Int32
  private let lock = NSCondition()
  private var bytes: [UInt8] = []
  private var isAtEnd = false

  init(port: String) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.descriptor = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port)?.bigEndian ?? 0
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard status == 0 else { throw Failure("cannot connect to port \(port)") }
    Thread.detachNewThread { [self] in gather() }
  }

  private func gather() {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      lock.lock()
      if count > 0 { bytes += buffer[..<count] } else { isAtEnd = true }
      lock.broadcast()
      lock.unlock()
      if count <= 0 { break }
    }
    close(descriptor)
  }

  /// All lines up to the end of the connection.
  func rest() -> [String] {
    lock.lock()
    defer { lock.unlock() }
    let deadline = Date(timeIntervalSinceNow: 30)
    while !isAtEnd, lock.wait(until: deadline) {}
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
