# frozen_string_literal: true

# Checksums of bytes, written as S3 writes its additional checksums: base64 of the digest, the most
# significant byte first.
#
#   {"content": "aGVsbG8=", "algorithms": ["crc32c"]}  ->  {"size": 5, "crc32c": "mnG7TA=="}

require "digest"
require_relative "crc32c"
require_relative "logs"

# Says which part of the event is wrong, and repeats nothing of it.
class InvalidInput < StandardError; end

ALGORITHMS = {
  "sha256" => ->(bytes) { Digest::SHA256.digest(bytes) },
  "sha512" => ->(bytes) { Digest::SHA512.digest(bytes) },
  "crc32c" => ->(bytes) { Crc32c.digest(bytes) },
}.freeze

# Answers `size`, in bytes, and one member per algorithm asked for; all when the event names none.
def handler(event:, context:)
  Logs.begin(event, context)
  raise InvalidInput, "the event must be a JSON object" unless event.is_a?(Hash)
  return { warmed: true } if event["warming"] == true

  started = milliseconds
  answer = checksums(event)
  spent = (milliseconds - started).round(1)
  Logs.write("INFO", "checksums computed", size: answer[:size], milliseconds: spent)
  answer
rescue InvalidInput => e
  Logs.write("WARN", "input refused", reason: e.message)
  raise
end

def checksums(event)
  content = decoded(event["content"])
  names = named(event.fetch("algorithms", ALGORITHMS.keys))
  names.each_with_object({ size: content.bytesize }) do |name, answer|
    answer[name] = encoded(ALGORITHMS[name].call(content))
  end
end

def named(names)
  return names if names.is_a?(Array) && names.any? && names.all? { |name| ALGORITHMS.key?(name) }

  raise InvalidInput, "algorithms: must be a list of sha256, sha512 or crc32c"
end

# `m0` is base64 without line breaks. Encoding once more refuses a text whose spare bits are set.
def decoded(text)
  bytes = text.unpack1("m0") if text.is_a?(String)
  return bytes if bytes && encoded(bytes) == text

  raise ArgumentError
rescue ArgumentError
  raise InvalidInput, "content: must be base64 text"
end

def encoded(bytes)
  [bytes].pack("m0")
end

def milliseconds
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_millisecond)
end
