import CLinux
import Glibc
import OutputKit
import PluginKit
import Sockets
import Threads

/// A TCP server that pushes every record to every client. A thread of its own serves them; each has a bounded queue.
final class ServerSink: Sink {
  private let host: Host
  private let counters: SinkCounters
  private let noClient: Counter
  private let address: SocketAddress
  private let serving: Serving
  private let thread = NamedThread()

  init(_ host: Host, _ options: Options, _ counters: SinkCounters) throws(PluginError) {
    let ip = options.text("ip") ?? "127.0.0.1"
    guard let address = SocketAddress(ip, port: UInt16(options.integer("port") ?? 4739)) else {
      throw PluginError("\"ip\": \"\(ip)\" is no address")
    }
    (self.host, self.counters, self.address) = (host, counters, address)
    noClient = counters.dropped("no-client", help: "Records dropped because no client was connected.")
    serving = Serving(host, bufferBytes: options.integer("buffer") ?? 32 << 20)
  }

  func start() throws(PluginError) {
    do throws(BoundSocket.Failure) {
      let bound = try BoundSocket(.tcp, on: address)
      host.log(.info, "serving JSON lines on \(bound.address)")
      serving.listener = .some(bound)
    } catch {
      throw PluginError("cannot listen on \(address) (\(error.step): \(error.reason)); change \"port\" or \"ip\"")
    }
    let status = thread.start("json-server") { [serving] in serving.run() }
    guard status == 0 else { throw PluginError("no thread to serve with: \(String(cString: strerror(status)))") }
  }

  func send(_ bytes: UnsafeRawBufferPointer, lineEnds: UnsafeBufferPointer<Int>) {
    switch serving.offer(bytes, lines: lineEnds.count) {
    case .taken: counters.delivered.add(lineEnds.count)
    case .noClient: noClient.add(lineEnds.count)
    case .full: counters.peerSlow.add(lineEnds.count)
    }
  }

  func finish() {
    serving.finish()
    while serving.isBusy, host.stopNanosecondsLeft != 0 { serving.waitForProgress() }
  }

  func stop() {
    serving.end()
    thread.join()
  }
}

/// What the stage's thread and the server's thread share, and the latter's loop.
final class Serving: @unchecked Sendable {
  enum Outcome { case taken, noClient, full }

  var listener: BoundSocket?
  private let host: Host
  private let bufferBytes: Int
  private let slow: Counter
  private let wake = flowcep_event_descriptor()
  private let progress = flowcep_event_descriptor()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  // Under the mutex.
  private var inbox: [SharedLines] = []
  private var inboxBytes = 0
  private var clientCount = 0
  private var queuedBytes = 0
  private var isFinishing = false
  private var isEnded = false
  // Of the thread.
  private var clients: [Client] = []

  init(_ host: Host, bufferBytes: Int) {
    (self.host, self.bufferBytes) = (host, bufferBytes)
    slow = host.informationCounter("slow-client", help: "Records that one of several clients was too slow for, or left before it had them.")
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    close(wake)
    close(progress)
  }

  // MARK: The stage's thread

  func offer(_ bytes: UnsafeRawBufferPointer, lines: Int) -> Outcome {
    let outcome = locked { () -> Outcome in
      if clientCount == 0 { return .noClient }
      if inboxBytes + bytes.count > bufferBytes { return .full }
      inbox.append(SharedLines(bytes, lines: lines))
      inboxBytes += bytes.count
      return .taken
    }
    if outcome == .taken { signal(wake) }
    return outcome
  }

  func finish() {
    locked { isFinishing = true }
    signal(wake)
  }

  var isBusy: Bool { locked { clientCount > 0 && inboxBytes + queuedBytes > 0 } }

  func waitForProgress() {
    var waiting = pollfd(fd: progress, events: Int16(POLLIN), revents: 0)
    poll(&waiting, 1, 50)
    var count: UInt64 = 0
    _ = read(progress, &count, 8)
  }

  func end() {
    locked { isEnded = true }
    signal(wake)
  }

  // MARK: The server's thread

  func run() {
    while true {
      var polled = [
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0), pollfd(fd: listener?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      for client in clients {
        polled.append(pollfd(fd: client.descriptor, events: Int16(POLLIN) | (client.queue.isEmpty ? 0 : Int16(POLLOUT)), revents: 0))
      }
      poll(&polled, nfds_t(polled.count), -1)
      var count: UInt64 = 0
      if polled[0].revents != 0 { _ = read(wake, &count, 8) }
      for (client, events) in zip(clients, polled[2...]) where events.revents & ~Int16(POLLOUT) != 0 { client.discardInput() }
      if polled[1].revents != 0 { acceptAll() }
      let (fresh, isOver) = locked { () -> ([SharedLines], Bool) in
        defer { (inbox, inboxBytes) = ([], 0) }
        return (inbox, isEnded)
      }
      for lines in fresh { for client in clients { client.add(lines, bufferBytes, slow) } }
      for client in clients { client.write() }
      removeClosed()
      locked { (clientCount, queuedBytes) = (clients.count, clients.reduce(0) { $0 + $1.queuedBytes }) }
      signal(progress)
      if isOver { return closeAll() }
    }
  }

  private func acceptAll() {
    while let (descriptor, peer) = listener?.accept() {
      host.log(.info, "client \(peer) connected")
      clients.append(Client(descriptor, peer))
    }
  }

  private func removeClosed() {
    for client in clients where client.isClosed {
      host.log(.info, "client \(client.peer) left")
      slow.add(client.queuedLines)
      client.close()
    }
    clients.removeAll { $0.isClosed }
  }

  private func closeAll() {
    for client in clients {
      slow.add(client.queuedLines)
      client.close()
    }
    clients = []
    listener = nil
  }

  private func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  private func signal(_ descriptor: Int32) {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }
}

/// Lines that several clients wait for.
final class SharedLines {
  let bytes: UnsafeMutableRawBufferPointer
  let lines: Int

  init(_ source: UnsafeRawBufferPointer, lines: Int) {
    bytes = .allocate(byteCount: source.count, alignment: 16)
    bytes.copyMemory(from: source)
    self.lines = lines
  }

  deinit { bytes.deallocate() }
}

/// One connected client, of the server's thread.
final class Client {
  let descriptor: Int32
  let peer: SocketAddress
  private(set) var queue: [SharedLines] = []
  private(set) var queuedBytes = 0
  private(set) var isClosed = false
  /// Bytes of the first in the queue that are sent.
  private var sent = 0

  init(_ descriptor: Int32, _ peer: SocketAddress) { (self.descriptor, self.peer) = (descriptor, peer) }

  var queuedLines: Int { queue.reduce(0) { $0 + $1.lines } }

  func add(_ lines: SharedLines, _ limit: Int, _ slow: Counter) {
    guard queuedBytes + lines.bytes.count <= limit || queue.isEmpty else { return slow.add(lines.lines) }
    queue.append(lines)
    queuedBytes += lines.bytes.count
  }

  func write() {
    while let lines = queue.first, !isClosed {
      let count = Glibc.send(
        descriptor, lines.bytes.baseAddress.map { $0 + sent }, lines.bytes.count - sent, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      guard count >= 0 else {
        isClosed = errno != EAGAIN && errno != EINTR
        return
      }
      sent += count
      guard sent == lines.bytes.count else { return }
      queue.removeFirst()
      queuedBytes -= lines.bytes.count
      sent = 0
    }
  }

  /// What a client says does not matter; that it closes does.
  func discardInput() {
    let count = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) {
      recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
    }
    isClosed = count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
  }

  func close() { _ = Glibc.close(descriptor) }
}
