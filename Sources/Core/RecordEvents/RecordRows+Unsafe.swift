import PluginABI
import RecordBatch

/// Where one record begins, and by which template.
struct RecordPlace: BitwiseCopyable {
  var offset: UInt32
  var template: UInt32
}

/// The records of a batch that are events, or those of them that have been chosen.
struct RecordRows {
  let bytes: UnsafeRawPointer
  let byteCount: Int
  let places: [RecordPlace]
  /// For each template of the batch whether some record has it.
  let isUsed: [Bool]

  var count: Int { places.count }

  /// - Parameter isFlow: for each template of the batch whether its records are events.
  init(_ batch: Batch, isFlow: [Bool]) {
    bytes = batch.bytes
    byteCount = batch.byteCount
    let records = batch.records
    var isUsed = [Bool](repeating: false, count: isFlow.count)
    let isEach = !isFlow.contains(false)
    places = isFlow.withUnsafeBufferPointer { isFlow in
      isUsed.withUnsafeMutableBufferPointer { isUsed in
        [RecordPlace](unsafeUninitializedCapacity: records.count) { places, count in
          for record in records where isEach || isFlow[Int(record.template_index)] {
            isUsed[Int(record.template_index)] = true
            places.initializeElement(at: count, to: RecordPlace(offset: record.offset, template: record.template_index))
            count += 1
          }
        }
      }
    }
    self.isUsed = isUsed
  }

  private init(_ all: RecordRows, places: [RecordPlace]) {
    bytes = all.bytes
    byteCount = all.byteCount
    self.places = places
    var isUsed = [Bool](repeating: false, count: all.isUsed.count)
    isUsed.withUnsafeMutableBufferPointer { isUsed in for place in places { isUsed[Int(place.template)] = true } }
    self.isUsed = isUsed
  }

  /// Those with the numbers given, in their order.
  func choosing(_ numbers: [UInt32]) -> RecordRows {
    RecordRows(
      self,
      places: places.withUnsafeBufferPointer { all in
        [RecordPlace](unsafeUninitializedCapacity: numbers.count) { places, count in
          for number in numbers {
            places.initializeElement(at: count, to: all[Int(number)])
            count += 1
          }
        }
      })
  }
}

/// When the messages that brought the records were exported, and by which sessions they came.
struct RecordOrigins {
  let exportTimes: [Int64]
  let sessions: [UInt32]

  init(_ batch: Batch, isFlow: [Bool]) {
    let (records, messages) = (batch.records, batch.messages)
    var sessions: [UInt32] = []
    exportTimes = [Int64](unsafeUninitializedCapacity: records.count) { times, count in
      sessions = [UInt32](unsafeUninitializedCapacity: records.count) { sessions, sessionCount in
        var message: UInt32?
        var (time, session) = (Int64(0), UInt32(0))
        for record in records where isFlow[Int(record.template_index)] {
          if message != record.message_index {
            message = record.message_index
            let message = messages[Int(record.message_index)]
            time = Int64(message.export_time) * 1000
            session = message.session.map { UInt32(truncatingIfNeeded: $0.pointee.id) } ?? 0
          }
          times.initializeElement(at: count, to: time)
          sessions.initializeElement(at: count, to: session)
          count += 1
        }
        sessionCount = count
      }
    }
    self.sessions = sessions
  }
}
