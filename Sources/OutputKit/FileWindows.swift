import Glibc

/// Which file is written when.
public struct FileWindows {
  private let folder: String
  private let name: String
  /// A window's length; 0: one that never ends.
  private let seconds: Int
  private let isAligned: Bool
  private var end = 0

  /// - Parameters:
  ///   - prefix: what default names begin with; the window's begin follows.
  ///   - name: a name in place of the default; strftime's % words stand for the window's begin, in the folder too.
  public init(folder: String, prefix: String, name: String?, seconds: Int, isAligned: Bool) {
    self.folder = folder.hasSuffix("/") ? folder : folder + "/"
    self.name = name ?? prefix.replacingPercents + (seconds % 60 == 0 ? "%Y%m%d%H%M" : "%Y%m%d%H%M%S")
    self.seconds = max(0, seconds)
    self.isAligned = isAligned
  }

  public func hasEnded(at now: Int) -> Bool { seconds > 0 && now >= end }

  /// Begins the window in which `now` lies (seconds since 1970) and returns its file's path.
  public mutating func begin(at now: Int) -> String {
    let start = isAligned && seconds > 0 ? now - now % seconds : now
    end = start + seconds
    return Self.format(folder + name, start)
  }

  private static func format(_ pattern: String, _ seconds: Int) -> String {
    guard pattern.contains("%") else { return pattern }
    var (moment, parts) = (time_t(seconds), tm())
    gmtime_r(&moment, &parts)
    var text = [CChar](repeating: 0, count: 4096)
    let count = strftime(&text, text.count, pattern, &parts)
    return count == 0 ? pattern : String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension String {
  /// A prefix is plain text, as in ipfixcol.
  fileprivate var replacingPercents: String { split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%") }
}
