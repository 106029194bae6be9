# frozen_string_literal: true

# ruby tests/handlers/checksum_test.rb

require "json"
require "minitest/autorun"
require "stringio"
require_relative "../../handlers/checksum_ruby/function"

class ChecksumTest < Minitest::Test
  Context = Struct.new(:aws_request_id)
  VECTORS = JSON.parse(File.read(File.join(__dir__, "../events/checksum_vectors.json")))

  def invoked(event)
    before, $stdout = $stdout, StringIO.new
    answer = handler(event: event, context: Context.new("request-1"))
    [JSON.parse(JSON.generate(answer)), $stdout.string.lines.map { |line| JSON.parse(line) }]
  ensure
    $stdout = before
  end

  VECTORS.each do |vector|
    define_method("test_#{vector['name'].tr(' ', '_')}") do
      if vector["error"]
        error = assert_raises(InvalidInput) { invoked(vector["event"]) }
        assert_equal vector["error"], error.message
      else
        assert_equal vector["answer"], invoked(vector["event"]).first
      end
    end
  end

  def test_a_line_names_what_and_where_and_nothing_of_the_content
    _, lines = invoked({ "content" => "c2VjcmV0", "algorithms" => ["crc32c"] })
    assert_equal 1, lines.size
    assert_match(/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/, lines[0].delete("timestamp"))
    assert_operator lines[0].delete("milliseconds"), :>=, 0
    assert_equal(
      {
        "level" => "INFO", "message" => "checksums computed", "service" => "sandpiper",
        "function" => "", "requestId" => "request-1", "size" => 6
      },
      lines[0],
    )
  end

  def test_a_warming_event_says_nothing
    assert_equal [{ "warmed" => true }, []], invoked({ "warming" => true })
  end
end
