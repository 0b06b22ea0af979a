import Telemetry
import Testing

@Suite struct CounterRegistryTests {
  @Test func sameNameGivesSameCounter() {
    let registry = CounterRegistry()
    let output = InstanceName(.output, "siem/json")
    let first = registry.counter(output, "queue-full", .dropped)
    let second = registry.counter(output, "queue-full", .information)
    first.add(2)
    second.add(3)
    #expect(first === second)
    #expect(first.value == 5)
    #expect(second.kind == .dropped)
    #expect(registry.counter(InstanceName(.output, "other"), "queue-full", .dropped).value == 0)
    #expect(registry.counters(of: output).count == 1)
  }

  @Test func gaugeIsSet() {
    let gauge = CounterRegistry().counter(InstanceName(.input, "tcp"), "sessions", .information)
    gauge.set(7)
    gauge.set(3)
    #expect(gauge.value == 3)
  }
}

@Suite struct LedgerTests {
  @Test func closesWhenEachAccountDoes() {
    var ledger = Ledger(accounts: [
      .init(InstanceName(.input, "tcp"), received: 65, delivered: 65, lost: [.init("bad length", 1)]),
      .init(InstanceName(.output, "siem/\"j;s\""), received: 65, delivered: 60, dropped: [.init("queue-full", 5), .init("stopping", 0)]),
    ])
    #expect(ledger.closes)
    #expect(
      ledger.line == """
        received=65; input "tcp": received=65 delivered=65 lost.bad-length=1; \
        output "siem/ j s ": received=65 delivered=60 dropped.queue-full=5; closed
        """)
    ledger.accounts[1].delivered = 59
    #expect(!ledger.closes)
    #expect(ledger.line.hasSuffix("unaccounted=1; open"))
  }
}
