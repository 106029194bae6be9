package checksum;

import com.amazonaws.services.lambda.runtime.Context;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Structured logs: one JSON object per line on standard output, as common/logs.py writes them. */
final class Logs {
  private static final List<String> LEVELS =
      List.of("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL");

  private static final Pattern CORRELATION_ID = Pattern.compile("[A-Za-z0-9._:=-]{1,128}");
  private static final Pattern TRACE =
      Pattern.compile("(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)");
  private static final AtomicBoolean COLD = new AtomicBoolean(true); // until the first invocation

  private Logs() {}

  /**
   * Starts an invocation and answers what all of its lines carry: the request id, the event's
   * {@code correlationId} or else the request id once more, and the trace's where there is one.
   */
  static Map<String, Object> begin(Object event, Context context) {
    String requestId = context == null ? "" : context.getAwsRequestId();
    Object given = event instanceof Map<?, ?> members ? members.get("correlationId") : null;
    boolean valid = given instanceof String text && CORRELATION_ID.matcher(text).matches();
    Map<String, Object> invocation = new LinkedHashMap<>();
    invocation.put("requestId", requestId);
    invocation.put("correlation_id", valid ? given : requestId);
    String header = context == null ? null : context.getXrayTraceId();
    Matcher trace = TRACE.matcher(header == null ? "" : header);
    if (trace.find()) {
      invocation.put("xray_trace_id", trace.group(1));
    }
    invocation.put("cold_start", COLD.getAndSet(false));
    return invocation;
  }

  /** Writes a line if LOG_LEVEL lets it through; field values are numbers, booleans or text. */
  static void write(
      String level, String message, Map<String, ?> invocation, Map<String, ?> fields) {
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
    line.put("version", variable("AWS_LAMBDA_FUNCTION_VERSION", ""));
    line.putAll(invocation);
    line.putAll(fields);
    System.out.println(
        line.entrySet().stream()
            .map(member -> quoted(member.getKey()) + ":" + written(member.getValue()))
            .collect(Collectors.joining(",", "{", "}")));
  }

  private static String written(Object value) {
    boolean plain = value instanceof Number || value instanceof Boolean;
    return plain ? value.toString() : quoted(String.valueOf(value));
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
