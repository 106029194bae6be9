# frozen_string_literal: true

require "json"

# Structured logs: one JSON object per line on standard output, in the shape of common/logs.py.
module Logs
  LEVELS = %w[TRACE DEBUG INFO WARN ERROR FATAL].freeze
  CORRELATION_ID = /\A[A-Za-z0-9._:=-]{1,128}\z/
  TRACE = /(?:\A|;)Root=(1-\h{8}-\h{24})(?:;|\z)/

  @invocation = {}
  @cold = true # until the first invocation of this environment has begun

  # Starts an invocation: later lines carry Lambda's request id, the `correlationId` of the event, or
  # else the request id once more, and the trace's where there is one.
  def self.begin(event, context)
    request_id = context&.aws_request_id.to_s
    given = event["correlationId"] if event.is_a?(Hash)
    given = request_id unless given.is_a?(String) && CORRELATION_ID.match?(given)
    trace = TRACE.match(ENV.fetch("_X_AMZN_TRACE_ID", ""))
    @invocation = { requestId: request_id, correlation_id: given }
    @invocation[:xray_trace_id] = trace[1] if trace
    @invocation[:cold_start] = @cold
    @cold = false
  end

  def self.write(level, message, **fields)
    wanted = LEVELS.index(ENV.fetch("LOG_LEVEL", "").upcase) || LEVELS.index("INFO")
    return if LEVELS.index(level) < wanted

    line = {
      timestamp: Time.now.utc.strftime("%Y-%m-%dT%H:%M:%S.%LZ"),
      level: level,
      message: message,
      service: ENV.fetch("SERVICE_NAME", "sandpiper"),
      function: ENV.fetch("AWS_LAMBDA_FUNCTION_NAME", ""),
      version: ENV.fetch("AWS_LAMBDA_FUNCTION_VERSION", ""),
    }
    $stdout.puts(JSON.generate(line.merge(@invocation, fields)))
    $stdout.flush
  end
end
