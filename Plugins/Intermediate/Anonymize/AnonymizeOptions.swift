import CryptoPAn
import Glibc
import PluginABI
import PluginKit

enum AnonymizeOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "anonymize", summary: "Replaces IP addresses: by Crypto-PAn, which keeps prefixes, or by their upper half.",
      options: [
        .choice("type", ["cryptopan", "truncation"], required: true, help: "How addresses are replaced."),
        .text("key", secret: true, help: "The key of Crypto-PAn: 32 characters, or 64 hexadecimal digits."),
        .path("keyFile", secret: true, mustExist: true, help: "A file with the key."),
        .text("keyVariable", help: "The name of an environment variable with the key."),
        .text("element", repeated: true, help: "An address element to replace; without any, all address elements."),
      ],
      validate: { _, options throws(PluginError) in _ = try AnonymizeMethod(options) })
  }
}

/// What replaces an address.
enum AnonymizeMethod {
  case cryptoPAn(CryptoPAn)
  case truncation

  init(_ options: Options) throws(PluginError) {
    guard options.text("type") == "cryptopan" else {
      self = .truncation
      return
    }
    guard let cipher = CryptoPAn(key: try Self.key(options)) else { throw PluginError("OpenSSL offers no AES-128") }
    self = .cryptoPAn(cipher)
  }

  /// The one key that is given. None is an error: a random one would give other addresses after every start.
  private static func key(_ options: Options) throws(PluginError) -> [UInt8] {
    let given = ["key", "keyFile", "keyVariable"].filter { options.text($0)?.isEmpty == false }
    guard let source = given.first, let value = options.text(source) else {
      throw PluginError("Crypto-PAn needs a key: give \"key\", \"keyFile\" or \"keyVariable\"")
    }
    guard given.count == 1 else { throw PluginError("only one of \(given.joined(separator: " and ")) may be given") }
    switch source {
    case "keyFile": return try parse(try contents(of: value), "the file \(value)")
    case "keyVariable":
      guard let text = getenv(value).map({ String(cString: $0) }) else {
        throw PluginError("the environment has no variable \"\(value)\", which should hold the key")
      }
      return try parse(text, "the variable \"\(value)\"")
    default: return try parse(value, "\"key\"")
    }
  }

  /// A file may also hold the 32 bytes themselves.
  private static func contents(of path: String) throws(PluginError) -> String {
    guard let bytes = bytes(of: path) else { throw PluginError("cannot read the key file \(path)") }
    if bytes.count == CryptoPAn.keyLength { return bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What a file begins with: no key is longer. Nil where it cannot be read.
  private static func bytes(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    return ferror(file) == 0 ? Array(bytes[..<count]) : nil
  }

  private static func parse(_ text: String, _ source: String) throws(PluginError) -> [UInt8] {
    if let key = KeyText.bytes(text) { return key }
    throw PluginError("the key in \(source) has \(text.utf8.count) bytes; expected 32 characters or 64 hexadecimal digits")
  }
}
