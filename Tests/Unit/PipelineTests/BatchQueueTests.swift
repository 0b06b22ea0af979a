import Foundation
import Pipeline
import PluginABI
import PluginHost
import RecordBatch
import Synchronization
import Testing

/// A batch of records that keeps `bytes` alive.
func batch(_ time: UInt64, bytes: Int = 0, kind: Batch.Kind = .records) -> BatchStorage {
  let batch = BatchStorage(kind: kind, buffer: bytes > 0 ? Buffer(capacity: bytes) : nil)
  batch.timeNanoseconds = time
  return batch
}

private let farAway = UInt64.max / 2

@Suite struct BatchQueueTests {
  @Test func keepsOrder() {
    let queue = BatchQueue(policy: .block, maximumBytes: 1 << 20, stop: StopState())
    for i in 1...3 { #expect(queue.push(batch(UInt64(i))) == .taken) }
    #expect(queue.pop(until: 0)?.timeNanoseconds == 1)
    #expect(queue.push(batch(4)) == .taken)
    #expect((0..<3).compactMap { _ in queue.pop(until: 0)?.timeNanoseconds } == [2, 3, 4])
    #expect(queue.pop(until: 0) == nil)
  }

  @Test func dropsWhenFullOfBytesButTakesTheEnd() {
    let queue = BatchQueue(policy: .drop, maximumBytes: 5000, stop: StopState())
    #expect(queue.push(batch(1, bytes: 4000)) == .taken)
    #expect(queue.push(batch(2, bytes: 4000)) == .full)
    #expect(queue.push(batch(3, kind: .end)) == .taken)
    #expect(queue.pop(until: 0)?.timeNanoseconds == 1)
    #expect(queue.pop(until: 0)?.kind == .end)
  }

  @Test func takesOneBatchLargerThanItself() {
    let queue = BatchQueue(policy: .drop, maximumBytes: 100, stop: StopState())
    #expect(queue.push(batch(1, bytes: 4000)) == .taken)
  }

  @Test func takesOneBatchLargerThanItselfBehindWhatIsNotRecords() {
    let queue = BatchQueue(policy: .drop, maximumBytes: 100, stop: StopState())
    #expect(queue.push(batch(1, kind: .sessionOpened)) == .taken)
    #expect(queue.push(batch(2, bytes: 4000)) == .taken)
    #expect(queue.push(batch(3, bytes: 4000)) == .full)
    #expect((0..<2).compactMap { _ in queue.pop(until: 0)?.timeNanoseconds } == [1, 2])
    #expect(queue.push(batch(4, bytes: 4000)) == .taken)
  }

  @Test func boundsBatches() {
    let queue = BatchQueue(policy: .drop, maximumBytes: 1 << 30, maximumBatches: 2, stop: StopState())
    #expect([1, 2, 3].map { queue.push(batch($0)) } == [.taken, .taken, .full])
  }

  @Test func blockedProducerIsRefusedWhenTimeIsUp() {
    let stop = StopState()
    let queue = BatchQueue(policy: .block, maximumBytes: 100, stop: stop)
    #expect(queue.push(batch(1, bytes: 4000)) == .taken)
    stop.begin(timeoutNanoseconds: 0)
    #expect(queue.push(batch(2, bytes: 4000)) == .stopped)
  }

  @Test func datagramsAreDroppedWhereStreamsWait() {
    let stop = StopState()
    let queue = BatchQueue(policy: .dropDatagrams, maximumBytes: 100, stop: stop)
    #expect(queue.push(received(over: FLOWCEP_TRANSPORT_UDP)) == .taken)
    #expect(queue.push(received(over: FLOWCEP_TRANSPORT_UDP)) == .full)
    // A stream waits, until the time for stopping is over.
    stop.begin(timeoutNanoseconds: 0)
    #expect(queue.push(received(over: FLOWCEP_TRANSPORT_TCP)) == .stopped)
  }

  private func received(over transport: Int) -> BatchStorage {
    var description = flowcep_session()
    description.transport = UInt16(transport)
    let session = Session(copying: description, name: "test")
    let batch = BatchStorage(kind: .records, buffer: Buffer(capacity: 4000), byteCount: 0)
    var message = flowcep_message()
    message.session = UnsafePointer(session.raw)
    _ = batch.append(message)
    return batch
  }

  @Test(arguments: [1, 4]) func nothingIsLostBetweenThreads(_ producers: Int) {
    let queue = BatchQueue(policy: .block, maximumBytes: 3000, stop: StopState())
    let each = 5000
    for producer in 0..<producers {
      Thread.detachNewThread {
        for i in 0..<each { _ = queue.push(batch(UInt64(producer * each + i + 1))) }
        _ = queue.push(batch(0, kind: .end))
      }
    }
    var ends = 0
    var last = [UInt64](repeating: 0, count: producers)
    var count = 0
    while ends < producers, let next = queue.pop(until: farAway) {
      if next.kind == .end {
        ends += 1
        continue
      }
      let producer = Int(next.timeNanoseconds - 1) / each
      #expect(next.timeNanoseconds > last[producer])
      last[producer] = next.timeNanoseconds
      count += 1
    }
    #expect(count == producers * each)
  }

  /// Each batch goes out when the one before has come in: whoever slept through one would never wake.
  @Test func aConsumerThatNapsMissesNothing() {
    let queue = BatchQueue(policy: .block, maximumBytes: 1 << 20, stop: StopState())
    let answers = BatchQueue(policy: .block, maximumBytes: 1 << 20, stop: StopState())
    let rounds: UInt64 = 300
    Thread.detachNewThread {
      while let next = queue.pop(until: farAway), next.kind == .records { _ = answers.push(batch(next.timeNanoseconds)) }
      _ = answers.push(batch(rounds + 1, kind: .end))
    }
    for round in 1...rounds {
      _ = queue.push(batch(round))
      #expect(answers.pop(until: farAway)?.timeNanoseconds == round)
    }
    _ = queue.push(batch(0, kind: .end))
    #expect(answers.pop(until: farAway)?.kind == .end)
  }

  /// What is enough to wake for: many bytes, or what is not records.
  @Test(arguments: [Batch.Kind.records, .sessionClosed, .end]) func aNapEndsEarly(_ kind: Batch.Kind) {
    let queue = BatchQueue(policy: .block, maximumBytes: 1 << 20, stop: StopState())
    _ = queue.push(batch(1))
    #expect(queue.pop(until: 0)?.timeNanoseconds == 1)
    Thread.detachNewThread { _ = queue.push(batch(2, bytes: 1 << 19, kind: kind)) }
    #expect(queue.pop(until: farAway)?.timeNanoseconds == 2)
    // The nap is over: what is there now is given at once, and nothing that is not.
    #expect(queue.pop(until: 0) == nil)
  }
}
