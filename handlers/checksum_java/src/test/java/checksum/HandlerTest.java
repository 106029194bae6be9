package checksum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
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
}
