package checksum;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/** What the function computes, apart from Lambda. */
final class Checksums {
  private static final List<String> ALGORITHMS = List.of("sha256", "sha512", "crc32c");

  private Checksums() {}

  /** {@code size}, in bytes, and one member per algorithm asked for; all when none is named. */
  static Map<String, Object> of(Object event) {
    if (!(event instanceof Map<?, ?> members)) {
      throw new InvalidInput("the event must be a JSON object");
    }
    byte[] content = decoded(members.get("content"));
    Object names = members.containsKey("algorithms") ? members.get("algorithms") : ALGORITHMS;
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("size", content.length);
    for (String name : named(names)) {
      answer.put(name, Base64.getEncoder().encodeToString(digest(name, content)));
    }
    return answer;
  }

  private static byte[] decoded(Object content) {
    if (content instanceof String text) {
      try {
        byte[] bytes = Base64.getDecoder().decode(text);
        // Encoding once more refuses what the decoder allows: missing padding, spare bits.
        if (Base64.getEncoder().encodeToString(bytes).equals(text)) {
          return bytes;
        }
      } catch (IllegalArgumentException notBase64) {
        // Its message quotes the content; ours is thrown below.
      }
    }
    throw new InvalidInput("content: must be base64 text");
  }

  private static List<String> named(Object names) {
    if (names instanceof List<?> list && !list.isEmpty()) {
      List<String> known =
          ALGORITHMS.stream().filter(list::contains).toList();
      if (list.stream().allMatch(name -> name instanceof String && known.contains(name))) {
        return known;
      }
    }
    throw new InvalidInput("algorithms: must be a list of sha256, sha512 or crc32c");
  }

  private static byte[] digest(String name, byte[] content) {
    if (name.equals("crc32c")) {
      CRC32C crc = new CRC32C();
      crc.update(content);
      return ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).array();
    }
    try {
      return MessageDigest.getInstance(name.equals("sha256") ? "SHA-256" : "SHA-512")
          .digest(content);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java has SHA-256 and SHA-512", impossible);
    }
  }
}
