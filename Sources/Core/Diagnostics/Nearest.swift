/// The candidate nearest to what was written, for "did you mean"; nil where none is near.
///
/// Near means an edit distance (insert, delete, replace, swap of neighbours; case counts half) of at most a third of the
/// longer name's length, and at least one edit.
public func nearestName(to written: String, among candidates: some Sequence<String>) -> String? {
  var best: (name: String, distance: Double)?
  for candidate in candidates {
    let limit = Double(max(written.count, candidate.count)) / 3
    if abs(written.count - candidate.count) > Int(max(limit, 1)) { continue }
    let distance = editDistance(Array(written), Array(candidate))
    if distance <= max(limit, 1), distance < best?.distance ?? .infinity { best = (candidate, distance) }
  }
  return best?.name
}

/// `did you mean "port"?`, or nil where no candidate is near.
public func didYouMean(_ written: String, among candidates: some Sequence<String>) -> String? {
  nearestName(to: written, among: candidates).map { "did you mean \"\($0)\"?" }
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Double {
  if a.isEmpty || b.isEmpty { return Double(max(a.count, b.count)) }
  var beforeLast: [Double] = []
  var last = (0...b.count).map(Double.init)
  for i in 1...a.count {
    var row = [Double(i)]
    for j in 1...b.count {
      let same = a[i - 1] == b[j - 1]
      let replace = same ? 0 : (a[i - 1].lowercased() == b[j - 1].lowercased() ? 0.5 : 1)
      var cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + replace)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, beforeLast[j - 2] + 1) }
      row.append(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.count]
}
