# frozen_string_literal: true

require "json"

# Structured logs: one JSON object per line on standard output, in the shape of common/logs.py.
module Logs
  LEVELS = %w[TRACE DEBUG INFO WARN ERROR FATAL].freeze

  def self.write(level, message, context, **fields)
    wanted = LEVELS.index(ENV.fetch("LOG_LEVEL", "").upcase) || LEVELS.index("INFO")
    return if LEVELS.index(level) < wanted

    line = {
      timestamp: Time.now.utc.strftime("%Y-%m-%dT%H:%M:%S.%LZ"),
      level: level,
      message: message,
      service: ENV.fetch("SERVICE_NAME", "sandpiper"),
      function: ENV.fetch("AWS_LAMBDA_FUNCTION_NAME", ""),
      requestId: context&.aws_request_id.to_s,
    }
    $stdout.puts(JSON.generate(line.merge(fields)))
    $stdout.flush
  end
end
