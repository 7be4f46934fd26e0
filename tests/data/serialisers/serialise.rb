# Reads a list of JSON texts on stdin; prints what Ruby's serialisers make of each, in base64.
require "json"

texts = JSON.parse($stdin.read)
ways = {
  "ruby-generate" => ->(payload) { JSON.generate(payload) },
  "ruby-generate-script-safe" => ->(payload) { JSON.generate(payload, script_safe: true) },
  "ruby-generate-ascii" => ->(payload) { JSON.generate(payload, ascii_only: true) },
  "ruby-pretty-generate" => ->(payload) { JSON.pretty_generate(payload) },
  "ruby-inspect" => ->(payload) { payload.inspect },
}
write = lambda do |way, text|
  written = way.call(JSON.parse(text))
  [written.b].pack("m0")
rescue StandardError
  nil
end
rows = ways.transform_values { |way| texts.map { |text| write.call(way, text) } }
# Rails replaces to_json and generate, so it comes last.
require "active_support"
require "active_support/json"
rows["ruby-rails"] = texts.map { |text| write.call(->(payload) { payload.to_json }, text) }
version = "Ruby #{RUBY_VERSION}, json #{JSON::VERSION}, ActiveSupport #{ActiveSupport::VERSION::STRING}"
puts({ "version" => version, "rows" => rows }.to_json)
