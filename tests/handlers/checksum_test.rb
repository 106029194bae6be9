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
    ENV["AWS_LAMBDA_FUNCTION_VERSION"] = "7"
    _, lines = invoked({ "content" => "c2VjcmV0", "algorithms" => ["crc32c"] })
    assert_equal 1, lines.size
    lines[0]["cold_start"] = false # tests run in any order, in one environment
    assert_match(/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/, lines[0].delete("timestamp"))
    assert_operator lines[0].delete("milliseconds"), :>=, 0
    assert_equal(
      {
        "level" => "INFO", "message" => "checksums computed", "service" => "sandpiper",
        "function" => "", "version" => "7", "requestId" => "request-1",
        "correlation_id" => "request-1", "cold_start" => false, "size" => 6
      },
      lines[0],
    )
  end

  def test_a_line_carries_what_its_caller_belongs_to
    { "a.B_c:1-2=" => "a.B_c:1-2=", "a\n" => "request-1", "" => "request-1", 7 => "request-1" }.each do |given, wanted|
      _, lines = invoked({ "content" => "", "correlationId" => given })
      assert_equal wanted, lines[0]["correlation_id"]
    end
  end

  def test_a_line_names_its_trace_where_there_is_one
    root = "1-6923a1b2-0123456789abcdef01234567"
    { "Root=#{root};Parent=53995c3f42cd8ad8;Sampled=0" => root, "Root=x" => nil }.each do |header, wanted|
      ENV["_X_AMZN_TRACE_ID"] = header
      _, lines = invoked({ "content" => "" })
      assert_equal [wanted], lines.map { |line| line["xray_trace_id"] }
    end
  ensure
    ENV.delete("_X_AMZN_TRACE_ID")
  end

  def test_only_the_first_invocation_of_an_environment_is_a_cold_start
    Logs.instance_variable_set(:@cold, true)
    cold = [{ "content" => "" }, { "content" => "" }].map { |event| invoked(event)[1][0]["cold_start"] }
    assert_equal [true, false], cold
    Logs.instance_variable_set(:@cold, true)
    invoked({ "warming" => true })
    assert_equal false, invoked({ "content" => "" })[1][0]["cold_start"]
  end

  def test_a_warming_event_says_nothing
    assert_equal [{ "warmed" => true }, []], invoked({ "warming" => true })
  end
end
