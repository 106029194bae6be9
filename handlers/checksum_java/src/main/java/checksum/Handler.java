package checksum;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

/**
 * Answers the checksums of bytes, written as S3 writes its additional checksums: base64 of the
 * digest, the most significant byte first.
 *
 * <p>{@code {"content": "aGVsbG8=", "algorithms": ["crc32c"]}} is answered with {@code {"size": 5,
 * "crc32c": "mnG7TA=="}}. The event is an Object because Lambda's own reading into a narrower type
 * would answer for a wrong event in words of its own.
 */
public final class Handler implements RequestHandler<Object, Map<String, Object>> {
  @Override
  public Map<String, Object> handleRequest(Object event, Context context) {
    Map<String, Object> invocation = Logs.begin(event, context);
    if (event instanceof Map<?, ?> members && Boolean.TRUE.equals(members.get("warming"))) {
      return Map.of("warmed", true);
    }
    long started = System.nanoTime();
    try {
      Map<String, Object> answer = Checksums.of(event);
      double milliseconds = Math.round((System.nanoTime() - started) / 1e5) / 10.0;
      Logs.write(
          "INFO",
          "checksums computed",
          invocation,
          Map.of("size", answer.get("size"), "milliseconds", milliseconds));
      return answer;
    } catch (InvalidInput refused) {
      Logs.write("WARN", "input refused", invocation, Map.of("reason", refused.getMessage()));
      throw refused;
    }
  }
}
