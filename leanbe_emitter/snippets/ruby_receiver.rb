# A receiver of Leanbe's webhooks in Ruby (3.0 or later), without gems, to start from.
#
#   LEANBE_WEBHOOK_SECRET=whsec_test PORT=8000 ruby receiver.rb
require "json"
require "openssl"
require "set"
require "socket"
require "stringio"

# A Rack application: config.ru is `require_relative "receiver"; run Receiver.new(ENV["..."])`.
class Receiver
  MOST_BYTES = 2 * 1024 * 1024
  HANDLERS = {
    "idea.created" => ->(idea) { puts "new idea: #{idea.fetch("title")}" },
  }.freeze

  def initialize(secret)
    raise "LEANBE_WEBHOOK_SECRET is empty: anybody could sign." if secret.to_s.empty?

    @secret = secret
    # The same event may come twice. Leanbe sends no id with it, but three values identify an event:
    # store them in your database, under a unique key, in the transaction that handles the event.
    @seen = Set.new
    @turn = Mutex.new
  end

  def call(request)
    at = request.values_at("REQUEST_METHOD", "PATH_INFO")
    body = request["rack.input"].read(MOST_BYTES + 1) || "" if at == %w[POST /hooks/leanbe]
    [status(body), {}, []]
  rescue StandardError => error
    warn error.full_message(highlight: false)
    [500, {}, []]
  end

  private

  def status(body)
    return 404 unless body

    body.bytesize > MOST_BYTES ? 413 : receive(body.dup.force_encoding(Encoding::UTF_8))
  end

  # Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue.
  def receive(body)
    envelope = parsed(body)
    event, at, signature = envelope&.values_at("event", "triggeredAt", "signature")
    return 400 unless event.is_a?(String) && at.is_a?(String) && envelope.key?("payload")

    text = payload_text(body)
    return 401 unless signature.is_a?(String) && signed?(text, signature)

    # Use the text that is signed: a forged body could have a second payload.
    once(event, at, JSON.parse(text))
    204
  end

  def parsed(body)
    envelope = JSON.parse(body) if body.valid_encoding?
    envelope if envelope.is_a?(Hash)
  rescue JSON::ParserError
    nil
  end

  # Leanbe signs the payload's text as it stands in the body. JSON.generate would write another text,
  # for example 1.0e-07 for 1e-7.
  def payload_text(body)
    last = body.rindex(',"event":') # a payload may contain this text, too
    body.start_with?('{"payload":') && last ? body[11...last] : ""
  end

  def signed?(text, signature)
    OpenSSL.secure_compare(OpenSSL::HMAC.hexdigest("SHA256", @secret, text), signature)
  end

  def once(event, at, payload)
    key = [event, payload.is_a?(Hash) ? payload["_id"] : nil, at]
    handle = HANDLERS[event] # accept all other events, also new ones
    @turn.synchronize do
      next if handle.nil? || @seen.include?(key)

      handle.call(payload)
      @seen << key
    end
  end
end

# Enough of a server to try the receiver. For real use, run it in a Rack server: Puma, for example.
def serve(receiver, client)
  method, path = client.gets.to_s.split
  length = 0
  while (line = client.gets.to_s.chomp) != ""
    length = Regexp.last_match(1).to_i if line =~ /\Acontent-length:\s*(\d+)/i
  end
  body = StringIO.new(client.read([length, Receiver::MOST_BYTES + 1].min))
  request = { "REQUEST_METHOD" => method, "PATH_INFO" => path, "rack.input" => body }
  client.write("HTTP/1.1 #{receiver.call(request).first} -\r\nConnection: close\r\n\r\n")
ensure
  client.close
end

if $PROGRAM_NAME == __FILE__
  $stdout.sync = true
  receiver = Receiver.new(ENV["LEANBE_WEBHOOK_SECRET"])
  server = TCPServer.new("127.0.0.1", ENV.fetch("PORT", "8000").to_i)
  puts "http://127.0.0.1:#{server.addr[1]}/hooks/leanbe"
  loop { Thread.start(server.accept) { |client| serve(receiver, client) } }
end
