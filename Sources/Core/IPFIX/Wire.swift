/// The numbers of RFC 7011, RFC 3954 and NetFlow version 5 that the codec goes by.
public enum Wire {
  public static let version: UInt16 = 10
  /// Bytes of a message's header.
  public static let messageHeader = 16
  /// Bytes of a set's header.
  public static let setHeader = 4
  public static let templateSet: UInt16 = 2
  public static let optionsTemplateSet: UInt16 = 3
  /// Template ids, and the ids of data sets, begin here.
  public static let firstTemplate: UInt16 = 256
  public static let variableLength: UInt16 = 65535
  /// In a field's element id: an enterprise number follows.
  public static let enterpriseBit: UInt16 = 0x8000

  // NetFlow version 9 (RFC 3954).
  public static let version9: UInt16 = 9
  public static let messageHeader9 = 20
  public static let templateSet9: UInt16 = 0
  public static let optionsTemplateSet9: UInt16 = 1

  // NetFlow version 5.
  public static let version5: UInt16 = 5
  public static let messageHeader5 = 24
  public static let record5 = 48
}
