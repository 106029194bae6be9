package checksum;

/** Says which part of the event is wrong, and repeats nothing of it. */
public final class InvalidInput extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidInput(String message) {
    super(message);
  }
}
