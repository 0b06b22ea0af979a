import Pipeline
import PluginABI
import RecordBatch
import Synchronization
import Telemetry
import Testing

/// Remembers what it was given.
final class Collecting: BatchTarget {
  struct State {
    var batches: [BatchStorage] = []
    var ends = 0
  }
  let state = Mutex(State())

  func take(_ batch: consuming BatchStorage) {
    let taken = copy batch
    state.withLock { $0.batches.append(taken) }
  }
  func end() { state.withLock { $0.ends += 1 } }

  var ends: Int { state.withLock { $0.ends } }
  /// The offsets of the records, batch by batch.
  var offsets: [[UInt32]] { state.withLock { $0.batches.map { $0.view.records.map(\.offset) } } }
}

/// A batch with a record for each of these domains; offsets count from 0.
private func batch(domains: [UInt32]) -> BatchStorage {
  let template = Template(
    id: 256, kind: .flow, fields: [.init(enterprise: 0, element: 4, length: 1, type: UInt16(FLOWCEP_UNSIGNED8), name: "p")])
  let batch = BatchStorage(
    kind: .records, buffer: Buffer(capacity: domains.count), byteCount: domains.count, recordCapacity: domains.count)
  for (i, domain) in domains.enumerated() {
    var message = flowcep_message()
    message.observation_domain = domain
    let index = batch.append(message)
    (batch.records + i).initialize(
      to: flowcep_record(offset: UInt32(i), length: 1, template_index: batch.index(of: template), message_index: index))
  }
  batch.recordCount = domains.count
  return batch
}

@Suite struct JunctionTests {
  @Test func endsWithItsLastProducer() {
    let target = Collecting()
    let junction = Junction(name: "p", entry: target)
    junction.addProducer()
    junction.addProducer()
    junction.end()
    #expect(target.ends == 0)
    junction.end()
    #expect(target.ends == 1)
  }

  @Test func fanSharesOneBatch() {
    let targets = [Collecting(), Collecting()]
    let fan = Fan(targets)
    fan.take(batch(domains: [1, 1]))
    fan.end()
    #expect(targets.map(\.offsets) == [[[0, 1]], [[0, 1]]])
    #expect(targets.map(\.ends) == [1, 1])
    let shared = targets.compactMap { $0.state.withLock { $0.batches.first } }
    #expect(shared[0] === shared[1])
  }
}

@Suite struct DomainRouterTests {
  private func router(_ domains: [UInt32?]) -> (DomainRouter, [Collecting]) {
    let targets = domains.map { _ in Collecting() }
    let routes = zip(domains, targets).map { DomainRouter.Route(domain: $0, target: $1) }
    return (DomainRouter(process: "p", routes: routes), targets)
  }

  @Test func splitsByDomain() {
    let (router, targets) = router([7, nil, 9])
    router.take(batch(domains: [7, 1, 7, 9, 2]))
    #expect(targets.map(\.offsets) == [[[0, 2]], [[1, 4]], [[3]]])
    #expect(router.account.unaccounted == 0 && router.account.delivered == 5)
  }

  @Test func passesWholeBatchOfOneDomain() {
    let (router, targets) = router([7, nil])
    let given = batch(domains: [7, 7])
    router.take(given)
    #expect(targets[0].state.withLock { $0.batches.first } === given)
    #expect(targets[1].offsets == [])
  }

  @Test func countsRecordsThatNoDestinationWants() {
    let (router, targets) = router([7])
    router.take(batch(domains: [7, 1]))
    router.take(batch(domains: [2, 2, 2]))
    #expect(targets[0].offsets == [[0]])
    #expect(router.account.dropped == [Ledger.Entry("no-destination", 4)])
    #expect(router.account.received == 5 && router.account.unaccounted == 0)
  }
}
