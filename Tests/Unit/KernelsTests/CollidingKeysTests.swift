import Engine
import EventModel
import Glibc
import Testing

@testable import Kernels

/// Keys come from the network. A million of them, chosen to collide in a table under a seed that the chooser knows, cost under another seed
/// what random keys cost.
@Suite struct CollidingKeysTests {
  private static let count = 1_000_000
  private static let knownSeed: UInt64 = 7

  /// What is multiplied with a factor to give hashes whose upper 22 bits are all zero, and so gives one place in a table.
  ///
  /// The products c·y whose lower half is r form a lattice of pairs (y, r). The extended Euclidean algorithm finds short vectors of it, from
  /// which all pairs with y and r below 2^42 are put together: then the upper half of the product is small as well.
  static func collidingWords(_ c: UInt64, _ count: Int) -> [UInt64] {
    var (s0, r0, s1, r1) = (Int128(0), Int128(1) << 64, Int128(1), Int128(c))
    while r1 >= Int128(1) << 32 {
      let quotient = r0 / r1
      (s0, s1) = (s1, s0 - quotient * s1)
      (r0, r1) = (r1, r0 - quotient * r1)
    }
    let bound = Int128(1) << 42
    func floored(_ x: Int128, _ y: Int128) -> Int128 { x / y - (x % y != 0 && x < 0 ? 1 : 0) }
    /// The j for which 0 <= a + j·b < bound.
    func range(_ a: Int128, _ b: Int128) -> (low: Int128, high: Int128) {
      b > 0 ? (-floored(a, b), floored(bound - 1 - a, b)) : (-floored(bound - 1 - a, -b), floored(a, -b))
    }
    var words: [UInt64] = []
    for i in 0..<Int128(20_000) {
      for sign in i == 0 ? [1] : [1, -1] as [Int128] {
        let i = i * sign
        let (a, b) = (range(i * s0, s1), range(i * r0, r1))
        for j in stride(from: max(a.low, b.low), through: min(a.high, b.high), by: 1) {
          words.append(UInt64(i * s0 + j * s1))
          if words.count == count { return words }
        }
      }
    }
    return words
  }

  /// Keys of one column that collide in a table of groups under the known seed.
  private func collidingKeys() -> [Int64] {
    let key = HashKey(seed: Self.knownSeed)
    let factor = (key.second &+ UInt64(Atom.Kind.int.rawValue)) ^ key.first
    return Self.collidingWords(factor, Self.count).map { Int64(bitPattern: $0 ^ key.second) }
  }

  private func randomKeys() -> [Int64] {
    var random = SystemRandomNumberGenerator()
    return (0..<Self.count).map { _ in .random(in: .min ... .max, using: &random) }
  }

  /// The processor time of this thread in seconds: other tests run beside this one.
  private func seconds(_ work: () throws -> Void) rethrows -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    try work()
    return now() - start
  }

  @Test func theKeysDoCollideUnderTheKnownSeed() {
    let key = HashKey(seed: Self.knownSeed)
    let keys = collidingKeys()
    #expect(Set(keys).count == Self.count)
    for word in keys {
      let hash = key.mix(key.second &+ UInt64(Atom.Kind.int.rawValue), UInt64(bitPattern: word))
      if hash >> 42 != 0 { return #expect(Bool(false), "\(word) does not collide") }
    }
  }

  private func time(_ keys: [Int64], seed: UInt64, rewrites: Bool) throws -> Double {
    var options = EngineOptions()
    options.clock = .compat
    options.seed = seed
    options.rewrites = rewrites
    let epl = "create schema E(k long); @Name('s') select k, count(*) as c from E.win:time_batch(1 sec) group by k having count(*) > 1;"
    let engine = try Engine(modules: [EngineModule(name: "m", text: epl)], options: options)
    let input = try #require(engine.input(named: "E"))
    return seconds {
      for start in stride(from: 0, to: keys.count, by: 2048) {
        let part = Array(keys[start..<min(start + 2048, keys.count)])
        engine.send(
          EventBatch(
            type: input.type, count: part.count, properties: input.properties, columns: [Column(.ints(part))],
            times: Array(repeating: 1, count: part.count)))
      }
    }
  }

  @Test func aMillionChosenKeysCostNoMoreThanRandomOnes() throws {
    let (chosen, random) = (collidingKeys(), randomKeys())
    let seed = UInt64.random(in: 1000 ... .max)
    let cost = try time(chosen, seed: seed, rewrites: true)
    let usual = try time(random, seed: seed, rewrites: true)
    #expect(cost < 3 * usual, "\(cost) s for chosen keys, \(usual) s for random ones")
  }

  /// Tables of values are under a secret of the process, whatever seed an attacker thinks of.
  @Test func tablesOfValuesAreUnderASecret() {
    let key = KeyedHash(seed: Self.knownSeed)
    let chosen = Self.collidingWords(key.step(0, 0) ^ 1, Self.count).map { Value.int(Int64(bitPattern: $0)) }
    let random = randomKeys().map { Value.int($0) }
    func time(_ keys: [Value]) -> Double {
      var table: [Value: Int] = [:]
      let seconds = seconds { for key in keys { table[key, default: 0] += 1 } }
      #expect(table.count == Self.count)
      return seconds
    }
    let (cost, usual) = (time(chosen), time(random))
    #expect(cost < 3 * usual, "\(cost) s for chosen keys, \(usual) s for random ones")
  }
}
