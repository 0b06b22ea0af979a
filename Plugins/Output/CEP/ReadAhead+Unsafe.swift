import CLinux
import EventModel
import Glibc
import PluginKit
import RecordBatch

/// Takes the columns out of a batch's records on a thread of its own, while the engine works on the batch before.
///
/// Between `begin` and `finish` the readers are that thread's; otherwise it sleeps, and they are the caller's.
final class ReadAhead: @unchecked Sendable {
  private let read: (Batch) -> [EventBatch]
  private var batch: Batch?
  private var events: [EventBatch] = []
  private var isStopped = false
  private let work = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  private let done = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  private var thread = pthread_t()

  /// Nil where there is one processor only, which would do the same work and switch threads besides, or no thread to be had.
  init?(_ read: @escaping (Batch) -> [EventBatch]) {
    self.read = read
    sem_init(work, 0, 0)
    sem_init(done, 0, 0)
    guard flowcep_processors() > 1 else { return nil }
    let body = Unmanaged.passUnretained(self).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { raw in
        flowcep_name_thread("cep-columns")
        if let raw { Unmanaged<ReadAhead>.fromOpaque(raw).takeUnretainedValue().run() }
        return nil
      }, body)
    guard status == 0 else { return nil }
  }

  deinit {
    sem_destroy(work)
    sem_destroy(done)
    work.deallocate()
    done.deallocate()
  }

  /// The batch must stay until `finish` has given its events, and as long as these.
  func begin(_ batch: Batch) {
    self.batch = batch
    sem_post(work)
  }

  func finish() -> [EventBatch] {
    while sem_wait(done) != 0 {}
    defer { events = [] }
    return events
  }

  /// Not between `begin` and `finish`.
  func stop() {
    isStopped = true
    sem_post(work)
    pthread_join(thread, nil)
  }

  private func run() {
    while true {
      while sem_wait(work) != 0 {}
      guard !isStopped, let batch else { return }
      events = read(batch)
      sem_post(done)
    }
  }
}
