package checksum;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Structured logs: one JSON object per line on standard output, as common/logs.py writes them. */
final class Logs {
  private static final List<String> LEVELS =
      List.of("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL");

  private Logs() {}

  /** Writes a line if LOG_LEVEL lets it through; field values are numbers or text. */
  static void write(String level, String message, String requestId, Map<String, ?> fields) {
    int wanted = LEVELS.indexOf(variable("LOG_LEVEL", "INFO").toUpperCase(Locale.ROOT));
    if (LEVELS.indexOf(level) < (wanted < 0 ? LEVELS.indexOf("INFO") : wanted)) {
      return;
    }
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
    line.put("level", level);
    line.put("message", message);
    line.put("service", variable("SERVICE_NAME", "sandpiper"));
    line.put("function", variable("AWS_LAMBDA_FUNCTION_NAME", ""));
    line.put("requestId", requestId);
    line.putAll(fields);
    System.out.println(
        line.entrySet().stream()
            .map(member -> quoted(member.getKey()) + ":" + written(member.getValue()))
            .collect(Collectors.joining(",", "{", "}")));
  }

  private static String written(Object value) {
    return value instanceof Number ? value.toString() : quoted(String.valueOf(value));
  }

  private static String quoted(String text) {
    return text.chars()
        .mapToObj(
            character ->
                character < ' ' || character > '~' || character == '"' || character == '\\'
                    ? String.format("\\u%04x", character)
                    : String.valueOf((char) character))
        .collect(Collectors.joining("", "\"", "\""));
  }

  private static String variable(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null ? otherwise : value;
  }
}
