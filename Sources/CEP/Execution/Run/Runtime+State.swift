public import Builtins
public import EventModel

/// Saving, restoring and measuring, statement by statement; only between two passes.
extension Runtime {
  /// The clock, which all statements share.
  public func exchangeClock(_ archive: StateArchive) {
    clock.exchange(archive)
    archive.flag(&hasStarted)
  }

  public func exchange(statement number: Int, _ archive: StateArchive) { statements[number].exchange(archive) }

  /// After statements have been restored: those that were not start in the partitions that were.
  public func finishRestoring() throws(EvaluationError) {
    forgetPasses()
    for statement in statements { try statement.partitions?.startMissing() }
  }

  /// What stands in the slots of a type's events.
  public func slotProperties(of type: EventType) -> [Int] {
    type.properties.count > Layouts.largestWhole ? layouts.usedProperties(of: type) : Array(type.properties.indices)
  }
}
