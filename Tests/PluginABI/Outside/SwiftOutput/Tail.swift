// An output in Swift, in a package of its own: prints how many records it saw, and the last template's first field.
public import PluginABI
import PluginKit
import RecordBatch

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  outputEntry(
    hostVersion,
    PluginDescription(
      name: "tail", summary: "Prints what came last.",
      options: [.text("word", default: "tail", help: "What the line begins with.")])
  ) { host, options throws(PluginError) in Tail(host, options) }
}

final class Tail: OutputPlugin {
  private let word: String
  private let delivered: Counter
  private var records = 0
  private var field = "nothing"

  init(_ host: Host, _ options: Options) {
    word = options.text("word") ?? ""
    delivered = host.deliveredCounter()
  }

  func process(_ batch: Batch) throws(PluginError) {
    records += batch.recordCount
    delivered.add(batch.recordCount)
    if batch.templateCount > 0 { field = batch.template(at: batch.templateCount - 1).fieldName(0) }
  }

  func handle(_ event: Batch) throws(PluginError) {
    if event.kind == .end { print("\(word): \(records) records, first field \(field)") }
  }
}
