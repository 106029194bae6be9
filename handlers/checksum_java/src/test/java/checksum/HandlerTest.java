package checksum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class HandlerTest {
  private final ObjectMapper json = new ObjectMapper();

  @TestFactory
  Stream<DynamicTest> everyVectorIsAnsweredAsInEveryOtherRuntime() throws IOException {
    Path vectors = Path.of("..", "..", "tests", "events", "checksum_vectors.json");
    return Stream.of(json.readValue(vectors.toFile(), Map[].class))
        .map(vector -> dynamicTest((String) vector.get("name"), () -> hold(vector)));
  }

  private void hold(Map<?, ?> vector) throws IOException {
    Handler handler = new Handler();
    if (vector.containsKey("error")) {
      InvalidInput refused =
          assertThrows(
              InvalidInput.class, () -> handler.handleRequest(vector.get("event"), null));
      assertEquals(vector.get("error"), refused.getMessage());
    } else {
      Map<String, Object> answer = handler.handleRequest(vector.get("event"), null);
      assertEquals(vector.get("answer"), json.readValue(json.writeValueAsBytes(answer), Map.class));
    }
  }

  @Test
  void aLineCarriesWhatItsInvocationIs() throws IOException {
    new Handler().handleRequest(Map.of("warming", true), null); // from here on nothing is cold
    String root = "1-6923a1b2-0123456789abcdef01234567";
    Map<?, ?> line = line("mine.1", "Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=0");
    assertEquals("request-1", line.get("requestId"));
    assertEquals("mine.1", line.get("correlation_id"));
    assertEquals(root, line.get("xray_trace_id"));
    assertEquals(false, line.get("cold_start"));
    assertEquals("", line.get("version"));
    line = line("a b", null);
    assertEquals("request-1", line.get("correlation_id"));
    assertEquals(false, line.containsKey("xray_trace_id"));
  }

  private Map<?, ?> line(String correlationId, String trace) throws IOException {
    Map<String, String> answers =
        trace == null
            ? Map.of("getAwsRequestId", "request-1")
            : Map.of("getAwsRequestId", "request-1", "getXrayTraceId", trace);
    Context context =
        (Context)
            Proxy.newProxyInstance(
                Context.class.getClassLoader(),
                new Class<?>[] {Context.class},
                (proxy, method, arguments) -> answers.get(method.getName()));
    PrintStream before = System.out;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setOut(new PrintStream(written, true));
    try {
      new Handler()
          .handleRequest(Map.of("content", "", "correlationId", correlationId), context);
    } finally {
      System.setOut(before);
    }
    return json.readValue(written.toByteArray(), Map.class);
  }
}
