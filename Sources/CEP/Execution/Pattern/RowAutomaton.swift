internal import Plan

/// A row pattern as an automaton whose positions are the places of its variables: which can come first, which last, and which after
/// which (Glushkov's construction). Repeats with bounds are written out.
struct RowAutomaton {
  /// The variable at each position.
  private(set) var variables: [Int] = []
  /// The positions that can follow each.
  private(set) var follow: [[Int]] = []
  private(set) var first: [Int] = []
  private(set) var isLast: [Bool] = []
  /// Variables that take as few rows as they can.
  private(set) var reluctant: Set<Int> = []
  private static let largest = 5000

  private struct Part {
    var first: [Int] = []
    var last: [Int] = []
    var isNullable = false
  }

  init(_ pattern: MatchRecognizePlan.Node) throws(DeploymentError) {
    let whole = try part(pattern)
    first = whole.first
    isLast = Array(repeating: false, count: variables.count)
    for position in whole.last { isLast[position] = true }
    if whole.isNullable { throw DeploymentError("the pattern of match_recognize can match no row at all") }
  }

  private mutating func part(_ node: MatchRecognizePlan.Node) throws(DeploymentError) -> Part {
    switch node {
    case .variable(let variable):
      guard variables.count < Self.largest else {
        throw DeploymentError("the pattern of match_recognize is too large when its repeats are written out")
      }
      variables.append(variable)
      follow.append([])
      return Part(first: [variables.count - 1], last: [variables.count - 1])
    case .sequence(let nodes):
      var parts: [Part] = []
      for node in nodes { parts.append(try part(node)) }
      return sequence(parts)
    case .alternation(let nodes):
      var result = Part()
      for node in nodes { result = either(result, try part(node)) }
      return result
    case .permutation(let nodes):
      guard nodes.count <= 6 else { throw DeploymentError("a permutation of more than 6 parts is too large") }
      var result = Part()
      for order in Self.permutations(nodes.count) { result = either(result, try part(.sequence(order.map { nodes[$0] }))) }
      return result
    case .repeated(let node, let low, let high, let isGreedy):
      if !isGreedy { reluctant.formUnion(Self.variables(of: node)) }
      return try repeated(node, low, high)
    }
  }

  private mutating func repeated(_ node: MatchRecognizePlan.Node, _ low: Int, _ high: Int?) throws(DeploymentError) -> Part {
    var result = Part(isNullable: true)
    for _ in 0..<low { result = joined(result, try part(node)) }
    guard let high else {
      var loop = try part(node)
      connect(loop.last, loop.first)
      loop.isNullable = true
      return joined(result, loop)
    }
    // Optional copies, each only after the one before: a(a(a)?)?
    var tail = Part(isNullable: true)
    for _ in 0..<max(0, high - low) {
      var copy = joined(try part(node), tail)
      copy.isNullable = true
      tail = copy
    }
    return joined(result, tail)
  }

  private mutating func connect(_ from: [Int], _ to: [Int]) {
    for position in from { for next in to where !follow[position].contains(next) { follow[position].append(next) } }
  }

  private mutating func joined(_ a: Part, _ b: Part) -> Part {
    connect(a.last, b.first)
    return Part(
      first: a.isNullable ? a.first + b.first : a.first, last: b.isNullable ? a.last + b.last : b.last,
      isNullable: a.isNullable && b.isNullable)
  }

  /// Parts one after the other. Of what can follow a part the farther is first, as in the original: it decides the order of matches.
  private mutating func sequence(_ parts: [Part]) -> Part {
    for later in parts.indices.reversed() where later > 0 {
      var earlier = later - 1
      connect(parts[earlier].last, parts[later].first)
      while earlier > 0, parts[earlier].isNullable {
        earlier -= 1
        connect(parts[earlier].last, parts[later].first)
      }
    }
    let head = parts.prefix(while: \.isNullable).count
    let tail = parts.reversed().prefix(while: \.isNullable).count
    return Part(
      first: parts.prefix(head + 1).flatMap(\.first), last: parts.suffix(tail + 1).flatMap(\.last), isNullable: head == parts.count)
  }

  private func either(_ a: Part, _ b: Part) -> Part {
    Part(first: a.first + b.first, last: a.last + b.last, isNullable: a.isNullable || b.isNullable)
  }

  private static func variables(of node: MatchRecognizePlan.Node) -> [Int] {
    switch node {
    case .variable(let variable): [variable]
    case .sequence(let nodes), .alternation(let nodes), .permutation(let nodes): nodes.flatMap(variables)
    case .repeated(let inner, _, _, _): variables(of: inner)
    }
  }

  static func permutations(_ count: Int) -> [[Int]] {
    if count <= 1 { return [Array(0..<count)] }
    return permutations(count - 1).flatMap { shorter in
      (0...shorter.count).reversed().map { place in Array(shorter[..<place]) + [count - 1] + Array(shorter[place...]) }
    }
  }
}
