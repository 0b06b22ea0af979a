import Synthesis

func capture(_ change: (inout SynthesisOptions) -> Void = { _ in }) throws -> (bytes: [UInt8], truth: GroundTruth, totals: SynthesisTotals)
{
  var options = SynthesisOptions()
  change(&options)
  let generator = try CaptureGenerator(options)
  var bytes: [UInt8] = []
  let totals = try generator.write { bytes.append(contentsOf: $0) }
  return (bytes, generator.truth, totals)
}

/// FNV-1a, enough to tell whether two captures are equal.
func fingerprint(_ bytes: [UInt8]) -> UInt64 {
  bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
