import CLinux
import Glibc
import OutputKit
import PluginKit
import RecordJSON
import Sockets

/// UDP: a record in each datagram, or as many as fit. Nothing that a receiver does or does not do is ever fatal.
final class DatagramSink: Sink {
  private let host: Host
  private let counters: SinkCounters
  private let address: SocketAddress
  /// The most bytes of a datagram that takes several records; 0: one record each.
  private let size: Int
  private let refused: Counter
  private let tooLong: Counter
  private let failed: Counter
  private let padded: Counter
  private var descriptor: Int32 = -1
  private let headers = UnsafeMutablePointer<flowcep_mmsghdr>.allocate(capacity: DatagramSink.batch)
  private let pieces = UnsafeMutablePointer<iovec>.allocate(capacity: DatagramSink.batch)
  private var lineCounts = [Int](repeating: 0, count: DatagramSink.batch)
  private var queued = 0
  /// Where the kernel cuts datagrams from one piece.
  private var segments: Segments?
  /// Where that is done only while this queue fills.
  private let queue: OutputQueue?
  private var queueFills = false
  private var pace: Pace
  private var receiver: ReceiverPace?
  private let waitsForReceiver: Bool
  private var saidRefused = false
  private var saidFailure = false
  private var saidPadded = false

  /// Datagrams in one system call.
  private static let batch = 64
  /// A record in a datagram of its own is not padded beyond what Ethernet carries in one piece.
  private static let longestPadded = 1472
  /// How full the queue is, in thousandths, when it is held to fill because the kernel takes too long over datagrams by themselves.
  private static let pressure = 250

  init(_ host: Host, _ options: Options, _ counters: SinkCounters) throws(PluginError) {
    let (ip, port) = (options.text("ip") ?? "127.0.0.1", options.integer("port") ?? 4739)
    guard port > 0, let address = SocketAddress(ip, port: UInt16(port)), !address.isAny else {
      throw PluginError("no address to send to: \"ip\" is \"\(ip)\", \"port\" is \(port)")
    }
    (self.host, self.counters, self.address, size) = (host, counters, address, options.integer("datagramSize") ?? 0)
    pace = Pace(perSecond: options.integer("maximumRate") ?? 0)
    waitsForReceiver = options.boolean("waitForReceiver")
    refused = host.informationCounter("connection-refused", help: "How often the receiver's machine said that nobody listens.")
    let padding = size > 0 ? "yes" : options.text("padded")
    queue = padding == "under-pressure" ? host.queue : nil
    segments = padding == "yes" || queue != nil ? Segments(size: size > 0 ? size : Self.longestPadded) : nil
    padded = host.informationCounter("padded", help: "Records that went out with spaces because the queue before the output was filling.")
    tooLong = counters.dropped("too-long", help: "Records longer than a datagram can be.")
    failed = counters.dropped("send-failed", help: "Records that the system did not send.")
    for index in 0..<Self.batch {
      headers[index] = flowcep_mmsghdr()
      headers[index].msg_hdr.msg_iov = pieces + index
      headers[index].msg_hdr.msg_iovlen = 1
    }
  }

  deinit {
    headers.deallocate()
    pieces.deallocate()
  }

  /// Where the kernel may cut datagrams: what the receive buffer that a reader has by default (212,992 bytes) takes of those of 1,400 bytes,
  /// with the kernel's notes. So a reader on this machine is asked once for all of a piece, and woken once, while the next is written.
  var pieceBytes: Int { segments == nil ? RecordJSONWriter.pieceBytes : 112_000 }

  func start() throws(PluginError) {
    descriptor = socket(address.isIPv4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    // Connected: one route lookup for all, and the system tells of ports where nobody listens.
    guard descriptor >= 0, address.withSockAddr({ connect(descriptor, $0, $1) }) == 0 else {
      throw PluginError("cannot send to \(address): \(String(cString: strerror(errno)))")
    }
    let own = waitsForReceiver ? localAddress(of: descriptor) : nil
    receiver = own.map { ReceiverPace(host, ReceiverQueue(from: $0, to: address), areCut: segments != nil) }
    var bytes: Int32 = 1 << 20
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
  }

  func stop() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    receiver = nil
  }

  func send(_ bytes: UnsafeRawBufferPointer, lineEnds: UnsafeBufferPointer<Int>) {
    guard let base = bytes.baseAddress else { return }
    if let queue { queueFills = queue.pressure > Self.pressure }
    var (start, line) = (0, 0)
    while line < lineEnds.count {
      var next = line + 1
      while next < lineEnds.count, lineEnds[next] - start <= size { next += 1 }
      add(UnsafeMutableRawPointer(mutating: base) + start, lineEnds[next - 1] - start, lines: next - line)
      (start, line) = (lineEnds[next - 1], next)
    }
    flush()
  }

  private func add(_ bytes: UnsafeMutableRawPointer, _ count: Int, lines: Int) {
    guard let segments, queue == nil || queueFills else { return enqueue(bytes, count, lines: lines) }
    guard segments.takes(count) else {
      flush()
      return enqueue(bytes, count, lines: lines)
    }
    if !segments.hasRoom(for: count) || queued > 0 { flush() }
    segments.append(.init(start: bytes, count: count, lines: lines))
  }

  private func enqueue(_ bytes: UnsafeMutableRawPointer, _ count: Int, lines: Int) {
    pieces[queued] = iovec(iov_base: bytes, iov_len: count)
    lineCounts[queued] = lines
    queued += 1
    if queued == Self.batch { flushQueued() }
  }

  private func flush() {
    if let segments { flush(segments) }
    flushQueued()
  }

  /// Hands over datagrams that the kernel cuts; where that fails, each is sent by itself, and from then on all where it cannot be done.
  private func flush(_ segments: Segments) {
    let waiting = segments.waiting
    segments.pad()
    pace.wait(for: waiting.count, host)
    var (first, isRetry) = (0, false)
    while first < waiting.count {
      let next = first + (receiver?.allow(waiting.count - first, bytes: segments.longest, areCut: true) ?? waiting.count - first)
      if segments.send(first..<next, on: descriptor) {
        let lines = waiting[first..<next].reduce(0) { $0 + $1.lines }
        counters.delivered.add(lines)
        if queueFills { notePadded(lines) }
        (first, isRetry) = (next, false)
        continue
      }
      let error = errno
      if error == EINTR { continue }
      if error == ECONNREFUSED, !isRetry {
        noteRefused()
        isRetry = true
        continue
      }
      if next - first > 1, Segments.cannotBeCut(error) { self.segments = nil }
      break
    }
    for datagram in waiting[first...] { enqueue(datagram.start, datagram.count, lines: datagram.lines) }
    segments.removeAll()
  }

  /// Hands over what is queued; a datagram that the system does not want is counted, and the next one is tried.
  private func flushQueued() {
    pace.wait(for: queued, host)
    var (first, isRetry) = (0, false)
    let longest = (0..<queued).reduce(0) { max($0, pieces[$1].iov_len) }
    while first < queued {
      let allowed = receiver?.allow(queued - first, bytes: longest) ?? queued - first
      let count = Int(flowcep_sendmmsg(descriptor, headers + first, UInt32(allowed), 0))
      if count > 0 {
        counters.delivered.add(lineCounts[first..<first + count].reduce(0, +))
        first += count
        isRetry = false
        continue
      }
      let error = errno
      if error == EINTR { continue }
      // An ICMP message about an earlier datagram: this one has not been sent yet.
      if error == ECONNREFUSED, !isRetry {
        noteRefused()
        isRetry = true
        continue
      }
      drop(lineCounts[first], error)
      first += 1
      isRetry = false
    }
    queued = 0
  }

  private func noteRefused() {
    refused.add(1)
    if !saidRefused { host.log(.warning, "nobody listens at \(address)") }
    saidRefused = true
  }

  private func notePadded(_ lines: Int) {
    padded.add(lines)
    if !saidPadded { host.log(.info, "the queue fills: datagrams for \(address) are padded, so that the system takes many at once") }
    saidPadded = true
  }

  private func drop(_ lines: Int, _ error: Int32) {
    (error == EMSGSIZE ? tooLong : failed).add(lines)
    if !saidFailure { host.log(.warning, "cannot send to \(address): \(String(cString: strerror(error)))") }
    saidFailure = true
  }
}

/// Holds datagrams back where the configuration sets a rate.
private struct Pace {
  private let interval: UInt64
  private var next: UInt64 = 0

  init(perSecond: Int) { interval = perSecond > 0 ? 1_000_000_000 / UInt64(perSecond) : 0 }

  /// Waits until so many more may go; not when the collector's time is up.
  mutating func wait(for count: Int, _ host: Host) {
    guard interval > 0, count > 0 else { return }
    let now = host.monotonicNanoseconds
    if next > now, host.stopNanosecondsLeft != 0 {
      var time = timespec(tv_sec: Int((next - now) / 1_000_000_000), tv_nsec: Int((next - now) % 1_000_000_000))
      nanosleep(&time, nil)
    }
    next = max(next, now) + interval * UInt64(count)
  }
}
