import Testing

@testable import Replay

@Suite struct ScheduleTests {
  func message(_ second: UInt32) -> Capture.Message { Capture.Message(offset: 0, length: 100, exportTime: second) }

  func due(_ schedule: Schedule, _ index: Int, loop: Int = 0) -> Double {
    Double(schedule.due(index: index, loop: loop, messages: index, bytes: 100 * index)) / 1e9
  }

  @Test func realTimeSpreadsASecondEvenly() {
    // The third message says an earlier second: it goes with its neighbours.
    let schedule = Schedule(.ratio(1), [10, 10, 9, 10, 12].map(message))
    #expect((0..<5).map { due(schedule, $0) } == [0, 0.25, 0.5, 0.75, 2])
    #expect(due(schedule, 0, loop: 1) == 3)
  }

  @Test func ratioDividesTime() {
    let schedule = Schedule(.ratio(10), [10, 10, 30].map(message))
    #expect((0..<3).map { due(schedule, $0) } == [0, 0.05, 2])
  }

  @Test func ratesCountWhatWasSent() {
    let messages = [1, 1, 1].map(message)
    #expect(due(Schedule(.messagesPerSecond(4), messages), 2) == 0.5)
    #expect(due(Schedule(.bytesPerSecond(50), messages), 2) == 4)
    #expect(due(Schedule(.full, messages), 2) == 0)
  }
}
