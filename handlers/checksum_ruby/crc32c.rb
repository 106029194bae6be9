# frozen_string_literal: true

# CRC-32C (Castagnoli) of RFC 3720, appendix B.4: Ruby's Zlib knows the other polynomial only.
module Crc32c
  POLYNOMIAL = 0x82F63B78 # reflected

  TABLE = Array.new(256) do |byte|
    8.times.reduce(byte) { |rest, _| rest.odd? ? (rest >> 1) ^ POLYNOMIAL : rest >> 1 }
  end.freeze

  # The four bytes of the checksum, the most significant one first.
  def self.digest(bytes)
    crc = bytes.each_byte.reduce(0xFFFFFFFF) do |rest, byte|
      TABLE[(rest ^ byte) & 0xFF] ^ (rest >> 8)
    end
    [crc ^ 0xFFFFFFFF].pack("N")
  end
end
