import InformationElements
import Pipeline
import PluginHost
import Synchronization
import Telemetry
import Testing

@Suite struct SessionLogTests {
  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  @Test func soManyLinesInAMinute() {
    let lines = Lines()
    let services = HostServices(counters: CounterRegistry(), stop: StopState(), registry: ElementRegistry([])) { _, _, text in
      lines.all.withLock { $0.append(text) }
    }
    var log = SessionLog(services, InstanceName(.input, "in"))
    for number in 0..<SessionLog.most + 30 { log.say(.info, "line \(number)", now: 5_000_000_000) }
    #expect(lines.all.withLock { $0.count } == SessionLog.most)
    #expect(lines.all.withLock { $0.last } == "line \(SessionLog.most - 1)")
    log.say(.info, "later", now: 65_000_000_000)
    #expect(lines.all.withLock { $0.suffix(2) } == ["30 further lines about sessions are left out", "later"])
    log.finish()
    #expect(lines.all.withLock { $0.last } == "later")
  }
}
