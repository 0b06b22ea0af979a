import PluginABI
import RecordBatch

/// Fields read out of records of ten templates in turn: at a place that all records of a template share, and behind a text.
enum FieldsBench {
  static func run() throws {
    // Few enough that they stay in the processor's caches.
    let capture = try BenchCapture(records: 12_000)
    let passes = 40
    for (name, enterprise, element) in [("octetDeltaCount, fixed", 0, 1), ("HTTPRequestURL, of variable length", 39499, 2)]
      as [(String, UInt32, UInt16)]
    {
      let records = capture.batches.flatMap { batch in
        let locators = (0..<batch.view.templateCount).map { locator(batch.view.template(at: $0), enterprise, element) }
        return batch.view.records.compactMap { record in locators[Int(record.template_index)].map { ($0, batch.view.bytes(of: record)) } }
      }
      Bench.measure("fields: \(name)", items: records.count * passes) {
        for _ in 0..<passes {
          for (locator, record) in records { sum &+= locator.bytes(in: record).count }
        }
      }
    }
  }

  nonisolated(unsafe) private static var sum = 0

  private static func locator(_ template: TemplateView, _ enterprise: UInt32, _ element: UInt16) -> FieldLocator? {
    template.fieldIndex(enterprise: enterprise, element: element).map { FieldLocator(template, field: $0) }
  }
}
