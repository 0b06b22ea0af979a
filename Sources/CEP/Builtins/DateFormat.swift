internal import EventModel

/// Reads dates by a format of letters, `yyyy-MM-dd'T'HH:mm:ss.SSS`, as times in UTC.
public enum DateFormat {
  private static let letters: Set<Character> = ["y", "M", "d", "H", "m", "s", "S"]

  /// A letter outside of quotes that stands for nothing.
  public static func unknownLetter(in format: String) -> Character? {
    var isQuoted = false
    for character in format {
      if character == "'" { isQuoted.toggle() }
      if !isQuoted, character.isASCII, character.isLetter, !letters.contains(character) { return character }
    }
    return nil
  }

  /// Nil where the text is no such date.
  static func milliseconds(_ text: String, _ format: String) -> Int64? {
    var time = CivilTime(0)
    var rest = Substring(text)
    var letters = Substring(format)
    var isQuoted = false
    while let letter = letters.first {
      if letter == "'" {
        isQuoted.toggle()
        letters.removeFirst()
        continue
      }
      guard !isQuoted, Self.letters.contains(letter) else {
        guard rest.first == letter else { return nil }
        rest.removeFirst()
        letters.removeFirst()
        continue
      }
      let run = letters.prefix { $0 == letter }
      letters = letters.dropFirst(run.count)
      // A number ends where the next one begins, or at what is no digit.
      let isFollowed = letters.first.map { Self.letters.contains($0) } ?? false
      let digits = rest.prefix(isFollowed ? run.count : 9).prefix { $0.isASCII && $0.isNumber }
      guard let number = Int64(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      switch letter {
      case "y": time.year = run.count == 2 ? 2000 + number : number
      case "M": time.month = number - 1
      case "d": time.day = number
      case "H": time.hour = number
      case "m": time.minute = number
      case "s": time.second = number
      default: time.millisecond = number
      }
    }
    return time.milliseconds
  }

  static let functions: [ScalarFunction] = [
    ScalarFunction(".parseDate", arity: 2...2, help: "the time that a text is under a format", resultType: { _ in .long }) {
      arguments throws(EvaluationError) in
      guard let text = arguments[0].text, let format = arguments[1].text else { return .null }
      guard let time = milliseconds(text, format) else { throw EvaluationError("'\(text)' is no date of the form '\(format)'") }
      return .int(time)
    }
  ]
}
