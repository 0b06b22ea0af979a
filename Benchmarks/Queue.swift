import Foundation
import Pipeline
import PluginHost
import RecordBatch

/// The queue before a stage, from one thread to another: a batch at a time that is asked for and answered, and as many as there are.
enum QueueBench {
  private static let never = UInt64.max / 2

  static func run() {
    let streamed = 200_000
    Bench.measure("queue: a batch, its making included, in a steady stream", items: streamed, rounds: 5) {
      let queue = queue()
      Thread.detachNewThread {
        for _ in 0..<streamed { _ = queue.push(BatchStorage(kind: .records, recordCapacity: 24)) }
        _ = queue.push(BatchStorage(kind: .end))
      }
      while let batch = queue.pop(until: never), batch.kind == .records {}
    }
    let single = 300
    Bench.measure("queue: a batch and an answer, both threads asleep before", items: single, rounds: 5) {
      let (questions, answers) = (queue(), queue())
      Thread.detachNewThread {
        while let batch = questions.pop(until: never), batch.kind == .sessionOpened { _ = answers.push(BatchStorage(kind: .sessionOpened)) }
      }
      for _ in 0..<single {
        _ = questions.push(BatchStorage(kind: .sessionOpened))
        _ = answers.pop(until: never)
      }
      _ = questions.push(BatchStorage(kind: .end))
    }
  }

  private static func queue() -> BatchQueue { BatchQueue(policy: .block, maximumBytes: 8 << 20, stop: StopState()) }
}
