/// Placeholder until the module is there.
enum AnonymizeBench { static func run() throws {} }
